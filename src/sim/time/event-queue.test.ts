import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventQueue } from "./event-queue.ts";

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
