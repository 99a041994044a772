import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PackedQueue, WITH_ID, WITH_NUMBER, WITH_TIME } from "./packed-queue.ts";

const message = fc.record(
  {
    kind: fc.constantFrom(
      0,
      1,
      2 | WITH_ID,
      3 | WITH_TIME,
      4 | WITH_ID | WITH_TIME,
      5 | WITH_NUMBER,
      6 | WITH_NUMBER | WITH_ID | WITH_TIME,
    ),
    method: fc.nat(65_535),
    number: fc.maxSafeNat(),
    id: fc.nat(0xffff_ffff),
    time: fc.oneof(fc.double({ noNaN: true }), fc.constant(Infinity)),
    body: fc.uint8Array({ maxLength: 2000 }),
  },
  { noNullPrototype: true },
);

const place = (bytes: Uint8Array) => ({ bytes, start: 0, end: bytes.length });

test("messages come out as they went in, whatever the order of pushing and dropping", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(message, fc.constant("drop" as const)), { maxLength: 100 }), (steps) => {
      const queue = new PackedQueue();
      const model: { kind: number; method: number; number: number; id: number; time: number; body: Uint8Array }[] = [];
      let turn = 0;
      for (const step of steps) {
        if (step !== "drop") {
          const { kind, method, number, id, time, body } = step;
          queue.push(kind, method, id, time, place(body), number);
          const hasNumber = (kind & WITH_NUMBER) !== 0;
          const hasId = (kind & WITH_ID) !== 0;
          const hasTime = (kind & WITH_TIME) !== 0;
          model.push({
            kind,
            method,
            number: hasNumber ? number : 0,
            id: hasId ? id : 0,
            time: hasTime ? time : Infinity,
            body,
          });
        } else if (queue.peek()) {
          const { kind, method, number, id, time, bytes, start, end } = queue;
          assert.equal(queue.turn, turn);
          queue.drop();
          turn += 1;
          // It stays where it is.
          const body = Uint8Array.from(bytes.subarray(start, end));
          assert.deepEqual({ kind, method, number, id, time, body }, model.shift());
        }
        assert.deepEqual([queue.size, queue.nextTurn], [model.length, turn + model.length]);
        const packed = model.reduce((sum, { kind, body }) => sum + PackedQueue.bytesOf(kind, body.length), 0);
        assert.equal(queue.packedBytes, packed);
        assert.ok(queue.heldBytes >= packed);
      }
    }),
  );
});

test("memory follows what waits: little more than the messages, and nearly nothing when all are taken", () => {
  const queue = new PackedQueue();
  for (let count = 0; count < 10_000; count += 1) queue.push(0, 0, 0, Infinity, place(Buffer.alloc(1)));
  assert.equal(queue.packedBytes, 80_000);
  assert.ok(queue.heldBytes < 160_000, String(queue.heldBytes));
  while (queue.peek()) queue.drop();
  assert.ok(queue.heldBytes <= 512);
  for (let count = 0; count < 10; count += 1) queue.push(0, 0, 0, Infinity, place(Buffer.alloc(100_000)));
  assert.ok(queue.heldBytes < 1_010_000, String(queue.heldBytes));
  queue.clear();
  assert.deepEqual([queue.heldBytes, queue.packedBytes, queue.size, queue.peek()], [0, 0, 0, false]);
});

test("a message of its own memory follows another one, and none is lost", () => {
  const queue = new PackedQueue();
  for (const bytes of [10, 300_000, 10, 60_000, 10_000])
    queue.push(0, bytes % 97, 0, Infinity, place(Buffer.alloc(bytes, 1)));
  const sizes: number[] = [];
  while (queue.peek()) {
    sizes.push(queue.end - queue.start);
    assert.equal(queue.method, (queue.end - queue.start) % 97);
    queue.drop();
  }
  assert.deepEqual(sizes, [10, 300_000, 10, 60_000, 10_000]);
});
