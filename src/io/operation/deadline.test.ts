import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { ManualClock } from "../../testing/manual-clock.ts";
import { type OperationOptions } from "./deadline.ts";
import { withOneDeadline } from "./within.ts";
import { unwatchAbort, watchAbort } from "./abort-watch.ts";

const newClock = (): ManualClock => new ManualClock({ defer: (callback) => void setImmediate(callback) });
const context = { op: "sendMany" };

/** Work that ends only when it is told to. */
function endless(options: OperationOptions | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const { signal } = options ?? {};
    signal?.addEventListener("abort", () => reject(signal.reason as Error));
  });
}

test("the time ends whatever call is under way, with the name and outcome of the whole", async () => {
  const clock = newClock();
  const done = withOneDeadline(clock, { timeoutMs: 5 }, context, "unknown", endless);
  const refused = assert.rejects(done, { code: "TIMEOUT", op: "sendMany", outcome: "unknown" });
  await clock.advance(5);
  await refused;
});

test("a signal ends it with its reason; an aborted one, and a time of zero, before it begins", async () => {
  const clock = newClock();
  const stop = new AbortController();
  const done = withOneDeadline(clock, { signal: stop.signal }, context, "none", endless);
  stop.abort(new Error("enough"));
  await assert.rejects(done, /enough/);
  const never = (): Promise<never> => assert.fail("it must not begin");
  await assert.rejects(withOneDeadline(clock, { signal: stop.signal }, context, "none", never), /enough/);
  await assert.rejects(withOneDeadline(clock, { timeoutMs: 0 }, context, "none", never), { code: "TIMEOUT" });
});

test("without time and signal the calls are not watched, and nothing is left when the work is done", async () => {
  const clock = newClock();
  assert.equal(await withOneDeadline(clock, {}, context, "none", (each) => Promise.resolve(each)), undefined);
  const stop = new AbortController();
  const options = { signal: stop.signal, timeoutMs: 5 };
  const each = await withOneDeadline(clock, options, context, "none", (one) => Promise.resolve(one));
  await clock.advance(10);
  stop.abort();
  assert.equal(each?.signal?.aborted, false);
});

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
