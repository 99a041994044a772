import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, joined, PORT } from "../../../test/sim/scene.ts";
import { connectOver } from "../../io/stream/connect.ts";
import { listenOver } from "../../io/listener/listen.ts";
import { check } from "./check.ts";

// The rules are those of docs/semantics.md.
test("rule E3: a crash is silence; after the restart the old connection gets a reset; zombies do nothing", async () => {
  await check({ seed: 1 }, async (world) => {
    const log: string[] = [];
    const server = world.host("server", async (network, disk) => {
      const starts = (disk.read("starts")?.[0] ?? 0) + 1;
      disk.write("starts", Buffer.from([starts]));
      log.push(`start ${starts}`);
      const listener = await listenOver(network, `tcp://0.0.0.0:${PORT}`);
      try {
        const peer = await listener.accept();
        await peer.read();
        await new Promise<void>((resolve) => void network.clock.setTimer(resolve, 3_600_000));
      } finally {
        log.push(`finally ${starts}`);
      }
    });
    const { network } = world.host("client");
    const call = await connectOver(network, `tcp://server:${PORT}`);
    const old = server.network;
    server.crash();
    await call.write("into the dark");
    assert.equal(await codeOf(call.read({ timeoutMs: 5_000 })), "TIMEOUT");
    server.restart();
    assert.equal(await codeOf(call.read()), "CONNECTION_RESET");
    // The network of the former life answers nothing any more.
    void old.sockets.resolve("client", 4).then(() => log.push("zombie"));
    await world.sleep(10_000);
    assert.deepEqual(log, ["start 1", "start 2"]);
    assert.equal(server.zombieCalls > 0, true);
  });
});

test("rule E3: a paused program still acknowledges, a frozen machine does not", async () => {
  await check({ seed: 1 }, async (world) => {
    const { b, call, peer } = await joined(world);
    b.pause();
    await call.write("x");
    await world.sleep(1000);
    assert.equal(b.snapshot().sockets[0]?.connection.readableBytes, 1);
    b.resume();
    assert.equal(String(await peer.read()), "x");
    b.freeze();
    await call.write("y");
    await world.sleep(1000);
    assert.equal(b.snapshot().sockets[0]?.connection.readableBytes, 0);
    b.thaw();
    assert.equal(String(await peer.read()), "y");
  });
});

test("clocks may differ, and time is the world's", async () => {
  await check({ seed: 1 }, async (world) => {
    const late = world.host("late", undefined, { skewMs: -5000 });
    assert.equal(late.network.clock.now(), -5000);
    await new Promise<void>((resolve) => void late.network.clock.setTimer(resolve, 1500));
    assert.equal(world.now, 1500);
    let happened = 0;
    world.at(2000, () => (happened = world.now));
    await world.sleep(1000);
    assert.equal(happened, 2000);
  });
});
