import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../testing/manual-clock.ts";
import { pending } from "../../testing/stream/check.ts";
import { whileMoving } from "./linger.ts";

const clockOf = () => new ManualClock({ defer: (callback) => setImmediate(callback) });

/** Waits for work that moves at these times, and is never done; answers when the waiting ends. */
async function endOf(movesAtMs: readonly number[], stallMs: number, endsAt: number): Promise<number> {
  const clock = clockOf();
  let moved = 0;
  for (const atMs of movesAtMs) clock.setTimer(() => void (moved += 1), atMs);
  const endedAtMs: number[] = [];
  const waiting = whileMoving(clock, new Promise(() => undefined), stallMs, endsAt, () => moved);
  void waiting.then(() => endedAtMs.push(clock.now()));
  while (endedAtMs.length === 0) await clock.advanceToNext();
  assert.equal(await waiting, false);
  const [endedAt = Infinity] = endedAtMs;
  assert.equal(clock.pending, movesAtMs.filter((atMs) => atMs > endedAt).length);
  return endedAt;
}

test("the wait ends when nothing has moved for the time, not before, and a quarter of it later at most", async () => {
  assert.equal(await endOf([], 2000, Infinity), 2000);
  assert.equal(await endOf([500], 2000, Infinity), 2500);
  assert.equal(await endOf([501], 2000, Infinity), 3000);
  assert.equal(await endOf([1999, 3900, 5800], 2000, Infinity), 8000);
  assert.equal(await endOf([], 0, Infinity), 0);
});

test("it ends when the whole time is over, however much moves", async () => {
  const always = Array.from({ length: 100 }, (_, index) => index * 100);
  assert.equal(await endOf(always, 2000, 5250), 5250);
  assert.equal(await endOf([], Infinity, 700), 700);
  assert.equal(await endOf(always, 2000, 0), 0);
});

test("work that is done ends it, also when it is done at once; work that fails passes its error on", async () => {
  for (const stallMs of [0, 2000]) {
    const clock = clockOf();
    assert.equal(await whileMoving(clock, Promise.resolve(), stallMs, Infinity, () => 0), true);
    const failure = new Error("lost");
    const failing = pending(whileMoving(clock, Promise.reject(failure), stallMs, Infinity, () => 0));
    await assert.rejects(failing, failure);
    assert.equal(clock.pending, 0);
  }
});
