import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PackedQueue } from "./packed-queue.ts";

const message = fc.record(
  {
    kind: fc.nat(2),
    method: fc.nat(65_535),
    id: fc.nat(0xffff_ffff),
    chargeBytes: fc.nat(0xffff_ffff),
    deadline: fc.oneof(fc.double({ noNaN: true }), fc.constant(Infinity)),
    body: fc.uint8Array({ maxLength: 300 }),
  },
  { noNullPrototype: true },
);

test("messages come out as they went in, whatever the order of pushing and dropping", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(message, fc.constant("drop" as const)), { maxLength: 100 }), (steps) => {
      const queue = new PackedQueue();
      const model: { body: Uint8Array }[] = [];
      for (const step of steps) {
        if (step !== "drop") {
          queue.push(step, step.body, 0, step.body.length);
          model.push(step);
        } else if (queue.peek()) {
          const { kind, method, id, chargeBytes, deadline, bytes, start, end } = queue;
          const body = Uint8Array.from(bytes.subarray(start, end));
          assert.deepEqual({ kind, method, id, chargeBytes, deadline, body }, model.shift());
          queue.drop();
        }
        assert.equal(queue.size, model.length);
      }
    }),
  );
});

test("memory follows what waits: a queue that was long and is empty holds little", () => {
  const queue = new PackedQueue();
  const head = { kind: 0, method: 0, id: 0, chargeBytes: 0, deadline: 0 };
  for (let count = 0; count < 1000; count += 1) queue.push(head, Buffer.alloc(100), 0, 100);
  assert.ok(queue.heldBytes >= 123_000 && queue.heldBytes < 300_000, String(queue.heldBytes));
  while (queue.peek()) queue.drop();
  assert.ok(queue.heldBytes <= 4096);
});
