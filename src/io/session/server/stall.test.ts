import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../../../sim.ts";
import { JournalStall } from "./stall.ts";

/** Watches writes, in the simulated world: what happened when. */
async function watching(
  body: (stall: JournalStall, store: { isThere: boolean }, sleep: (ms: number) => Promise<void>) => Promise<void>,
) {
  let told: string[] = [];
  await check({ seed: 1 }, async (world) => {
    told = [];
    const { clock } = world.host("server").network;
    const store = { isThere: true };
    const stall = new JournalStall({
      clock,
      stallMs: 5000,
      probe: async () => {
        told.push(`asked at ${clock.now()}`);
        return store.isThere;
      },
      away: () => told.push(`away at ${clock.now()}`),
    });
    await body(stall, store, (ms) => world.sleep(ms));
    stall.stop();
  });
  return told;
}

test("writes that come to their end are not looked at, nor is a server that writes nothing", async () => {
  const told = await watching(async (stall, _store, sleep) => {
    for (let times = 0; times < 20; times += 1) {
      stall.began();
      await sleep(1000);
      stall.ended(true);
    }
    await sleep(60_000);
    assert.equal(stall.isAway, false);
  });
  assert.deepEqual(told, []);
});

test("a write that does not end: the store is asked, and is away when that fails, too; then it is asked until it is there", async () => {
  const told = await watching(async (stall, store, sleep) => {
    store.isThere = false;
    stall.began();
    await sleep(4999);
    assert.equal(stall.isAway, false);
    await sleep(1);
    assert.equal(stall.isAway, true);
    await sleep(1500);
    store.isThere = true;
    await sleep(500);
    assert.equal(stall.isAway, false);
    stall.ended(true);
    await sleep(60_000);
  });
  assert.deepEqual(told, ["asked at 5000", "away at 5000", "asked at 6000", "asked at 7000"]);
});

test("one record that cannot be written is no reason to send all away", async () => {
  const told = await watching(async (stall, _store, sleep) => {
    stall.began();
    await sleep(12_000);
    assert.equal(stall.isAway, false);
    stall.ended(false);
    await sleep(60_000);
  });
  assert.deepEqual(told, ["asked at 5000", "asked at 10000"]);
});

test("a write that ends well says at once that the store is there; who gave up says nothing", async () => {
  await watching(async (stall, store, sleep) => {
    store.isThere = false;
    stall.began();
    stall.began();
    await sleep(5000);
    stall.ended(false);
    assert.equal(stall.isAway, true);
    stall.ended(true);
    assert.equal(stall.isAway, false);
  });
});
