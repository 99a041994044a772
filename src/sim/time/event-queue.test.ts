import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventQueue, MovingTimer, type TimerQueue } from "./event-queue.ts";

function drain(queue: EventQueue): void {
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) next.action();
}

test("events happen by time, then by order, then first come first served; cancelled ones do not", () => {
  const entry = fc.record({ atUs: fc.nat(20), order: fc.nat(2), cancelled: fc.boolean() });
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const queue = new EventQueue();
      const happened: number[] = [];
      const events = entries.map(({ atUs, order }, index) => queue.push(atUs, order, () => void happened.push(index)));
      for (const [index, { cancelled }] of entries.entries()) if (cancelled) queue.cancel(events[index]!);
      const expected = entries
        .map((value, index) => ({ ...value, index }))
        .filter(({ cancelled }) => !cancelled)
        .sort((a, b) => a.atUs - b.atUs || a.order - b.order || a.index - b.index);
      assert.equal(queue.size, expected.length);
      drain(queue);
      assert.deepEqual(
        happened,
        expected.map(({ index }) => index),
      );
      assert.equal(queue.size, 0);
    }),
  );
});

test("timers that are set and cancelled for ever keep no memory, and nothing else is lost", () => {
  const queue = new EventQueue();
  let happened = 0;
  for (let index = 0; index < 10_000; index += 1) {
    const event = queue.push(index, 0, () => assert.fail("cancelled"));
    if (index % 1000 === 0) queue.push(index, 0, () => (happened += 1));
    queue.cancel(event);
    queue.cancel(event);
  }
  assert.equal(queue.size, 10);
  drain(queue);
  assert.equal(happened, 10);
});

test("cancelling what has happened changes nothing", () => {
  const queue = new EventQueue();
  const event = queue.push(1, 0, () => undefined);
  queue.pop();
  queue.cancel(event);
  queue.push(2, 0, () => undefined);
  assert.equal(queue.size, 1);
});

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
