import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, connect, listen, serve } from "../index.ts";
import { expectError } from "../testing/expect-error.ts";
import type { FaultProxies, FaultProxy } from "./public.ts";
import { startProxy } from "./start-proxy.ts";

async function freeDoor(): Promise<Address> {
  const free = await listen("tcp://127.0.0.1:0");
  await free.close();
  return free.localAddress;
}

/** Ends a proxy named "a", or all of them. */
const ENDS: Readonly<Record<string, (running: FaultProxies) => unknown>> = {
  remove: (running) => running.remove("a"),
  close: (running) => running.close({ timeoutMs: 0 }),
  abort: (running) => {
    running.abort();
    return running.closed;
  },
};

for (const [name, end] of Object.entries(ENDS)) {
  test(`a proxy that opens is closed by ${name}, and does not open again`, async () => {
    await using target = await serve("tcp://127.0.0.1:0", async () => undefined);
    const upstream = target.localAddress;
    for (const how of ["add", "change"]) {
      const door = await freeDoor();
      await using running = await startProxy({});
      if (how === "change") await running.add({ name: "a", upstream, enabled: false });
      const opening =
        how === "add"
          ? running.add({ name: "a", upstream, listen: door })
          : running.proxies.get("a")?.change({ listen: door, enabled: true });
      const proxy = running.proxies.get("a");
      assert.ok(opening !== undefined && proxy !== undefined);
      await Promise.all([expectError(opening, { code: "CLOSED" }), end(running)]);
      await expectError(connect(door), { code: "CONNECTION_REFUSED" });
      await expectError(proxy.change({ enabled: true }), { code: "CLOSED" });
      await expectError(connect(door), { code: "CONNECTION_REFUSED" });
    }
  });
}

test("a proxy never connects to itself", async () => {
  await using target = await serve("tcp://127.0.0.1:0", async (peer) => await peer.write("hola"));
  await using running = await startProxy({ proxies: [{ name: "a", upstream: target.localAddress }] });
  const proxy = running.proxies.get("a") as FaultProxy;
  await expectError(proxy.change({ upstream: proxy.listen }), { code: "OPTION_INVALID" });
  await using call = await connect(proxy.listen);
  assert.equal(String(await call.readExactly(4)), "hola");
});

test("a proxy that cannot listen where it is told is as it was, but not enabled", async () => {
  await using target = await serve("tcp://127.0.0.1:0", async (peer) => await peer.write("hola"));
  await using running = await startProxy({ proxies: [{ name: "a", upstream: target.localAddress }] });
  const proxy = running.proxies.get("a") as FaultProxy;
  const { listen: door } = proxy;
  const change = { listen: target.localAddress, upstream: "tcp://127.0.0.1:9" };
  await expectError(proxy.change(change), { code: "ADDRESS_IN_USE" });
  assert.deepEqual([proxy.listen, proxy.upstream, proxy.enabled], [door, target.localAddress, false]);
  await proxy.change({ enabled: true });
  await using call = await connect(door);
  assert.equal(String(await call.readExactly(4)), "hola");
});

test("a name that is taken again while its first proxy opens stays that of the second one", async () => {
  await using target = await serve("tcp://127.0.0.1:0", async () => undefined);
  await using running = await startProxy({});
  const definition = { name: "a", upstream: target.localAddress };
  const first = expectError(running.add(definition), { code: "CLOSED" });
  const removed = running.remove("a");
  const second = await running.add(definition);
  await Promise.all([first, removed]);
  assert.equal(running.proxies.get("a"), second);
});
