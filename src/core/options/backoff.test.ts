import assert from "node:assert/strict";
import { test } from "node:test";
import { BackoffPauses } from "./backoff.ts";

const TIMES = { initialDelayMs: 100, maxDelayMs: 10_000, timeoutMs: 60_000 };

test("the pauses are drawn below a bound that doubles, and the last one ends when the time is up", () => {
  const pauses = new BackoffPauses({}, TIMES, 1000);
  assert.deepEqual([pauses.next(1000, 0.5), pauses.next(1050, 0), pauses.next(1050, 0.25)], [50, 0, 100]);
  assert.deepEqual([pauses.next(60_999, 0.5), pauses.next(60_999, 0.5)], [1, undefined]);
});

test("the pauses grow from where they are told to begin; what the peer asks for comes on top, within the time", () => {
  const pauses = new BackoffPauses({}, TIMES, 0, 3);
  assert.deepEqual([pauses.next(0, 0.5), pauses.next(0, 0.5), pauses.next(0, 0.5, 5000)], [400, 800, 6600]);
  assert.deepEqual([pauses.next(0, 0.5, 90_000), pauses.next(0, 0.5)], [60_000, undefined]);
  const endless = new BackoffPauses({ timeoutMs: Infinity }, TIMES, 0, 2000);
  assert.equal(endless.next(1e15, 0.5), 5000);
});

test("what is given takes the place of a default, also 0", () => {
  const pauses = new BackoffPauses({ initialDelayMs: 8, maxDelayMs: 10, timeoutMs: undefined }, TIMES, 0);
  assert.deepEqual([pauses.next(0, 0.5), pauses.next(0, 0.5), pauses.next(60_000, 0.5)], [4, 5, undefined]);
  assert.equal(new BackoffPauses({ timeoutMs: 0 }, TIMES, 0).next(0, 0.5), undefined);
  assert.equal(new BackoffPauses({ initialDelayMs: 0 }, TIMES, 0).next(0, 0.9), 0);
});
