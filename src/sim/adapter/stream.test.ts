import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, joined } from "../../../test/sim/scene.ts";
import { check } from "../world/check.ts";

// The rules are those of docs/semantics.md.
test("rule E1: data that arrived stays readable, then the reset is seen", async () => {
  await check({ seed: 1, cutReads: false }, async (world) => {
    const { call, peer } = await joined(world);
    await call.write("last words");
    await world.sleep(10);
    call.abort();
    await world.sleep(10);
    assert.equal(String(await peer.readExactly(10)), "last words");
    assert.equal(await codeOf(peer.read()), "CONNECTION_RESET");
  });
});

test("a slow reader stops the writer with a zero window; keepalive finds a peer that vanished", async () => {
  await check({ seed: 1 }, async (world) => {
    const { b, call, peer } = await joined(world);
    b.pause();
    assert.equal(await codeOf(call.write(Buffer.alloc(4_000_000), { timeoutMs: 30_000 })), "TIMEOUT");
    b.resume();
    assert.equal((await peer.readExactly(4_000_000)).length, 4_000_000);
    call.tcp.setKeepAlive(true, 60_000);
    const before = world.now;
    b.crash();
    assert.equal((await call.closed).how, "timeout");
    assert.ok(world.now - before < 60_000 + 10 * 75_000);
  });
});

test("reads are cut at seeded places, down to one byte, and the bytes stay what they were", async () => {
  const sizes = async (seed: number): Promise<string> => {
    const { value } = await check({ seed }, async (world) => {
      const { call, peer } = await joined(world);
      const pieces: Buffer[] = [];
      const reading = (async () => {
        for await (const piece of peer) pieces.push(piece);
      })();
      for (let count = 0; count < 30; count += 1) {
        await call.write("a message of some length;");
        await world.sleep(5);
      }
      await call.end();
      await reading;
      assert.equal(String(Buffer.concat(pieces)), "a message of some length;".repeat(30));
      return pieces.map(({ length }) => length);
    });
    assert.ok(value.includes(1));
    return value.join();
  };
  assert.equal(await sizes(1), await sizes(1));
  assert.notEqual(await sizes(1), await sizes(2));
});

test("a write completes when it is in the send buffer, even if the peer never gets it", async () => {
  await check({ seed: 1 }, async (world) => {
    const { b, call } = await joined(world);
    b.crash();
    const before = world.now;
    await call.write(Buffer.alloc(100_000));
    assert.equal(world.now, before);
    assert.equal(await codeOf(call.write(Buffer.alloc(1_000_000), { timeoutMs: 1000 })), "TIMEOUT");
    assert.equal(await codeOf(call.startTls({ role: "client" })), "OPTION_INVALID");
  });
});
