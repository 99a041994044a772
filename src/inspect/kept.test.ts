import assert from "node:assert/strict";
import { test } from "node:test";
import { Kept } from "./kept.ts";

test("few objects are looked at each time, many once in a time that grows with their number", () => {
  const timers: { readonly delayMs: number; readonly over: () => void }[] = [];
  const setTimer = (over: () => void, delayMs: number) => {
    timers.push({ delayMs, over });
    return { cancel: () => undefined };
  };
  const kept = new Kept({ now: () => 0, setTimer, defer: () => undefined });
  let looks = 0;
  const look = () => (looks += 1);
  const [few, many, more] = [{}, {}, {}];
  assert.deepEqual([kept.of(few, 1000, look), kept.of(few, 1000, look)], [1, 2]);
  assert.deepEqual([kept.of(many, 10_000, look), kept.of(many, 10_000, look), kept.of(more, 20_000, look)], [3, 3, 4]);
  assert.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    [5000, 10_000],
  );
  timers[0]?.over();
  assert.deepEqual([kept.of(more, 20_000, look), kept.of(many, 10_000, look)], [4, 5]);
});
