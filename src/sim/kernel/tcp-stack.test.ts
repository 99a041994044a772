import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, echo, PORT } from "../../../test/sim/scene.ts";
import { RandomStream } from "../../core/faults/random-stream.ts";
import { connectOver } from "../../io/stream/connect.ts";
import { listenOver } from "../../io/listener/listen.ts";
import type { SimHost } from "../world/host.ts";
import { check } from "../world/check.ts";
import { DEFAULT_TCP } from "./tcp-settings.ts";
import { type TcpSocket, TcpStack } from "./tcp-stack.ts";

test("listeners: taken, free again, and most exact first", async () => {
  await check({ seed: 1 }, async (world) => {
    const { network } = world.host("a");
    const wide = await listenOver(network, `tcp://0.0.0.0:${PORT}`);
    assert.equal(await codeOf(listenOver(network, `tcp://192.0.2.1:${PORT}`)), "ADDRESS_IN_USE");
    await wide.close();
    await listenOver(network, `tcp://192.0.2.1:${PORT}`);
    assert.equal(await codeOf(connectOver(network, `tcp://127.0.0.1:${PORT}`)), "CONNECTION_REFUSED");
    assert.equal(await codeOf(connectOver(network, `tcp://192.0.2.1:${PORT}`)), "none");
  });
});

test("a full backlog drops SYNs, so that callers come in late", async () => {
  await check({ seed: 1 }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")] as [SimHost, SimHost];
    const listener = await listenOver(b.network, `tcp://0.0.0.0:${PORT}`, { limits: { maxBacklog: 2 } });
    b.pause();
    const calls = Array.from({ length: 3 }, () => connectOver(a.network, `tcp://192.0.2.2:${PORT}`));
    await Promise.all(calls.slice(0, 2));
    await world.sleep(10);
    assert.equal(b.snapshot().listeners[0]?.queue.length, 2);
    await world.sleep(100);
    b.resume();
    const before = world.now;
    await calls[2];
    assert.ok(world.now - before > 800);
    for (let count = 0; count < 3; count += 1) await listener.accept();
  });
});

test("a port in TIME-WAIT cannot be used to the same peer, and is free a minute later", async () => {
  await check({ seed: 1 }, async (world) => {
    const { network } = world.host("a");
    world.host("b", echo);
    const localAddress = "192.0.2.1:40000";
    const call = await connectOver(network, `tcp://192.0.2.2:${PORT}`, { localAddress });
    await call.close();
    const again = (): Promise<unknown> => connectOver(network, `tcp://192.0.2.2:${PORT}`, { localAddress });
    assert.equal(await codeOf(again()), "ADDRESS_NOT_AVAILABLE");
    await world.sleep(61_000);
    assert.equal(await codeOf(again()), "none");
  });
});

test("ports to one peer can run out, and there are some for another", () => {
  const stack = new TcpStack(
    {
      random: new RandomStream(1, "test"),
      addresses: ["192.0.2.1"],
      mtuTo: () => 1500,
      noWayTo: () => undefined,
      newFlow: () => 1,
    },
    DEFAULT_TCP,
  );
  const call = (port: number): TcpSocket => stack.connect(undefined, { ip: "192.0.2.99", port }, 0);
  const ports = Array.from({ length: 28_232 }, () => call(80).route.from.port);
  assert.equal(new Set(ports).size, ports.length);
  assert.throws(() => call(80), { message: "ADDRESS_NOT_AVAILABLE" });
  assert.ok(call(81).route.from.port > 0);
  stack.forget(stack.sockets[0] as TcpSocket);
  assert.equal(call(80).route.from.port, ports[0]);
});

test("closing a listener resets what waits behind it", async () => {
  await check({ seed: 1 }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")] as [SimHost, SimHost];
    const listener = await listenOver(b.network, `tcp://0.0.0.0:${PORT}`);
    const call = await connectOver(a.network, `tcp://192.0.2.2:${PORT}`);
    await listener.close();
    assert.equal(await codeOf(call.read()), "CONNECTION_RESET");
  });
});
