import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock, Timer } from "../network/network.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { FineClock } from "./fine-clock.ts";

const TURN_MS = 0.1;

/** An event loop whose timers count whole milliseconds and fire before their time; each turn takes a tenth of a millisecond. */
class CoarseLoop implements Clock {
  turns = 0;
  #deferred: (() => void)[] = [];
  readonly #timers = new Set<{ readonly dueTurn: number; readonly callback: () => void }>();

  now(): number {
    return this.turns * TURN_MS;
  }
  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }
  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { dueTurn: (Math.floor(this.now()) + Math.max(1, Math.floor(delayMs))) / TURN_MS, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }
  /** Turns until nothing waits. */
  run(): void {
    while (this.#timers.size > 0 || this.#deferred.length > 0) {
      this.turns += 1;
      const deferred = this.#deferred;
      this.#deferred = [];
      for (const callback of deferred) callback();
      for (const timer of this.#timers) {
        if (timer.dueTurn > this.turns) continue;
        this.#timers.delete(timer);
        timer.callback();
      }
    }
  }
  /** Lets turns pass. */
  pass(turns: number): void {
    this.turns += turns;
  }
}

/** How late a timer is that is set after so many turns. */
function lateness(clock: Clock, loop: CoarseLoop, delayMs: number): number {
  const dueMs = loop.now() + delayMs;
  let lateMs = Number.NaN;
  clock.setTimer(() => (lateMs = loop.now() - dueMs), delayMs);
  loop.run();
  return lateMs;
}

test("a timer is never early, and late by no more than a turn of the event loop", () => {
  for (const beforeTurns of [0, 3, 7]) {
    for (const delayMs of [0.35, 1, 4.25, 100]) {
      const loop = new CoarseLoop();
      const clock = new FineClock(loop);
      loop.pass(beforeTurns);
      const lateMs = lateness(clock, loop, delayMs);
      // A timer of less than a millisecond is one of a millisecond.
      const most = delayMs < 1 ? 1 : TURN_MS;
      assert.ok(
        lateMs > -1e-9 && lateMs < most + 1e-9,
        `${lateMs} ms late, of ${delayMs} ms after ${beforeTurns} turns`,
      );
    }
  }
});

test("it looks in each turn for half of the time at most, and for one timer at a time", () => {
  const loop = new CoarseLoop();
  const deferred: (() => void)[] = [];
  const counted: Clock = {
    now: () => loop.now(),
    setTimer: (callback, delayMs) => loop.setTimer(callback, delayMs),
    defer: (callback) => loop.defer(() => deferred.push(callback) > 0 && callback()),
  };
  const clock = new FineClock(counted);
  let fired = 0;
  const again = (): void => {
    if ((fired += 1) < 200) clock.setTimer(again, 1.95);
  };
  for (let lane = 0; lane < 3; lane += 1) clock.setTimer(again, 1.95);
  loop.run();
  assert.ok(deferred.length > 0);
  assert.ok(deferred.length <= loop.turns / 2 + 20, `${deferred.length} looks in ${loop.turns} turns`);
});

test("where turns take no time, as in a simulated network, it waits with timers", async () => {
  const manual = new ManualClock({ defer: setImmediate });
  const clock = new FineClock(manual);
  let firedAtMs: number | undefined;
  clock.setTimer(() => (firedAtMs = clock.now()), 5.5);
  const cancelled = clock.setTimer(() => assert.fail("it was cancelled"), 5.5);
  await manual.advance(5);
  assert.equal(firedAtMs, undefined);
  cancelled.cancel();
  await manual.advance(5);
  assert.equal(firedAtMs, 5.5);
  assert.equal(manual.pending, 0);
});

test("a cancelled timer does not fire, before its first time and between that and its own", () => {
  const loop = new CoarseLoop();
  const clock = new FineClock(loop);
  loop.pass(9);
  const fail = (): void => assert.fail("it was cancelled");
  clock.setTimer(fail, 5).cancel();
  const late = clock.setTimer(fail, 5);
  // The event loop's timer fires 0.9 ms before the time.
  loop.setTimer(() => loop.defer(() => late.cancel()), 5);
  loop.run();
  // And the clock looks again for the next one.
  loop.pass(50);
  assert.ok(lateness(clock, loop, 5) < TURN_MS + 1e-9);
});

test("turns and timers in the background are those beneath", () => {
  const told: unknown[] = [];
  const base: Clock = {
    now: () => 7,
    defer: (callback) => callback(),
    setTimer: (_callback, delayMs, background) => {
      told.push([delayMs, background]);
      return { cancel: () => told.push("cancelled") };
    },
  };
  const clock = new FineClock(base);
  assert.equal(clock.now(), 7);
  clock.defer(() => told.push("turn"));
  clock.setTimer(() => undefined, 1.5, true).cancel();
  assert.deepEqual(told, ["turn", [1.5, true], "cancelled"]);
});
