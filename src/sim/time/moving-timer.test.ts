import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventQueue } from "./event-queue.ts";
import { MovingTimer, type TimerQueue } from "./moving-timer.ts";

function timerOn(queue: EventQueue, action: () => void): MovingTimer {
  const at: TimerQueue["at"] = (atUs, flow, happens, owner) => queue.push(atUs, flow, happens, owner);
  return new MovingTimer({ at, cancel: (event) => queue.cancel(event) }, 0, action);
}

test("a timer happens at the moment it was last moved to, whatever it was moved to before", () => {
  const moment = fc.oneof(fc.nat(50), fc.constant(Number.POSITIVE_INFINITY));
  const step = fc.record({ atUs: fc.nat(100), to: moment });
  fc.assert(
    fc.property(fc.array(step), fc.boolean(), (steps, cancelled) => {
      const queue = new EventQueue();
      const happened: number[] = [];
      const expected: number[] = [];
      let nowUs = 0;
      let dueUs = Number.POSITIVE_INFINITY;
      const timer = timerOn(queue, () => void happened.push(nowUs));
      const expectUpTo = (untilUs: number): void => {
        if (dueUs > untilUs) return;
        expected.push(dueUs);
        dueUs = Number.POSITIVE_INFINITY;
      };
      const ordered = [...steps].sort((a, b) => a.atUs - b.atUs);
      for (const { atUs, to } of ordered) {
        queue.push(atUs, 1, () => {
          expectUpTo(atUs);
          dueUs = atUs + to + 1;
          timer.set(dueUs);
        });
      }
      if (cancelled) {
        queue.push(150, 2, () => {
          expectUpTo(150);
          dueUs = Number.POSITIVE_INFINITY;
          timer.cancel();
        });
      }
      for (let event = queue.pop(); event !== undefined; event = queue.pop()) {
        nowUs = event.atUs;
        event.action();
      }
      expectUpTo(Number.MAX_SAFE_INTEGER);
      assert.deepEqual(happened, expected);
      assert.equal(queue.size, 0);
    }),
  );
});

test("a timer that moves to later ten thousand times needs one place in the queue", () => {
  const queue = new EventQueue();
  let happened = 0;
  const timer = timerOn(queue, () => (happened += 1));
  for (let atUs = 1; atUs <= 10_000; atUs += 1) timer.set(atUs);
  assert.equal(queue.size, 1);
  assert.equal(queue.pop()?.atUs, 10_000);
  assert.equal(happened, 0);
  assert.equal(queue.pop(), undefined);
});
