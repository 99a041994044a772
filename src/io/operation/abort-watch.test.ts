import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { unwatchAbort, watchAbort } from "./abort-watch.ts";

test("many wait for one signal with one listener; who stopped waiting is not told", () => {
  const controller = new AbortController();
  const { signal } = controller;
  const told: number[] = [];
  const waiting = Array.from({ length: 20 }, (_, index) => () => void told.push(index));
  for (const each of waiting) watchAbort(signal, each);
  assert.equal(getEventListeners(signal, "abort").length, 1);
  for (const each of waiting.slice(3)) unwatchAbort(signal, each);
  const [first, second] = waiting as [() => void, () => void];
  // Who is told first makes another one stop waiting.
  const stops = (): void => unwatchAbort(signal, second);
  unwatchAbort(signal, first);
  unwatchAbort(signal, second);
  watchAbort(signal, stops);
  watchAbort(signal, second);
  controller.abort();
  assert.deepEqual(told, [2]);
  unwatchAbort(signal, first);
});

test("when nobody waits any more the signal has no listener, and can be waited for again", () => {
  const controller = new AbortController();
  const { signal } = controller;
  let told = 0;
  const onAbort = (): void => {
    told += 1;
  };
  watchAbort(signal, onAbort);
  unwatchAbort(signal, onAbort);
  unwatchAbort(signal, onAbort);
  assert.equal(getEventListeners(signal, "abort").length, 0);
  watchAbort(signal, onAbort);
  controller.abort();
  assert.equal(told, 1);
});
