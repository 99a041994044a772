import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../../testing/manual-clock.ts";
import { type Scheduled, SessionSchedule } from "./schedule.ts";

class Alarm implements Scheduled {
  dueAt: number = Infinity;
  heapIndex = -1;
  readonly name: number;
  readonly #rung: number[];

  constructor(name: number, rung: number[]) {
    this.name = name;
    this.#rung = rung;
  }

  onDue(): void {
    this.#rung.push(this.name);
  }

  onEndOfTurn(): void {
    this.#rung.push(-this.name);
  }
}

const immediate = { defer: (callback: () => void): void => void setImmediate(callback) };

test("deadlines ring in their order, whatever was expected and forgotten before", async () => {
  const step = fc.record({ alarm: fc.nat(9), dueAt: fc.integer({ min: 1, max: 50 }), forget: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = new ManualClock(immediate);
      const schedule = new SessionSchedule(clock);
      const rung: number[] = [];
      const alarms = Array.from({ length: 10 }, (_, index) => new Alarm(index, rung));
      const model = new Map<number, number>();
      for (const { alarm, dueAt, forget } of steps) {
        const one = alarms[alarm] as Alarm;
        if (forget) {
          schedule.forget(one);
          model.delete(alarm);
        } else {
          schedule.expect(one, dueAt);
          model.set(alarm, Math.min(dueAt, model.get(alarm) ?? Infinity));
        }
        // What nobody expects any more holds no timer.
        assert.equal(clock.pending, model.size === 0 ? 0 : 1);
      }
      await clock.advance(100);
      assert.deepEqual(new Set(rung), new Set(model.keys()));
      assert.equal(rung.length, model.size);
      const dues = rung.map((name) => model.get(name) as number);
      assert.deepEqual(
        dues,
        [...dues].sort((a, b) => a - b),
      );
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 50 },
  );
});

test("the first in a turn leave when the code that runs has finished, the others together at its end", async () => {
  let deferred = 0;
  const clock = new ManualClock({
    defer: (callback) => {
      deferred += 1;
      immediate.defer(callback);
    },
  });
  const schedule = new SessionSchedule(clock);
  const rung: number[] = [];
  const expect = (...names: readonly number[]): void => {
    for (const name of names) schedule.atEndOfTurn(new Alarm(name, rung));
  };
  expect(1, 2, 3);
  assert.deepEqual(rung, []);
  await Promise.resolve();
  assert.deepEqual([rung, deferred], [[-1, -2, -3], 0]);
  expect(4);
  await Promise.resolve();
  expect(5);
  assert.deepEqual([rung.length, deferred], [3, 1]);
  await clock.turn();
  assert.deepEqual(rung.slice(3), [-4, -5]);
  // What is sent because something came does not wait, however much was sent before.
  expect(6);
  await Promise.resolve();
  schedule.arrived();
  expect(7);
  await Promise.resolve();
  assert.deepEqual(rung.slice(5), [-6, -7]);
});
