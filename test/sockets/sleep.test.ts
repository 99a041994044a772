/** `sleep`: on which clock, and how it ends. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeNetwork, sleep } from "../../src/index.ts";
import { check } from "../../src/sim.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";

test("sleep lasts as long as the network's clock says", async () => {
  const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
  let isOver = false;
  const sleeping = sleep(86_400_000, { network: { ...nodeNetwork, clock } }).then(() => (isOver = true));
  await clock.advance(86_399_999);
  assert.equal(isOver, false);
  await clock.advance(1);
  await sleeping;
  await sleep(0);
});

test("in a simulated world it takes virtual time", async () => {
  await check({ seed: 1 }, async (world) => {
    const { network } = world.host("plaza");
    const before = network.clock.now();
    await sleep(3_600_000, { network });
    assert.equal(network.clock.now() - before, 3_600_000);
  });
});

test("a signal ends it with its reason, and leaves no timer behind", async () => {
  const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
  const reason = new Error("up");
  const stop = new AbortController();
  const sleeps = [1000, Infinity].map((ms) =>
    assert.rejects(sleep(ms, { network: { ...nodeNetwork, clock }, signal: stop.signal }), reason),
  );
  stop.abort(reason);
  await Promise.all(sleeps);
  assert.equal(clock.pending, 0);
  await assert.rejects(sleep(1, { signal: stop.signal }), reason);
});
