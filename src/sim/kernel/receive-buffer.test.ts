import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ReceiveBuffer } from "./receive-buffer.ts";

const FIRST = 1000;
const CAPACITY = 64;
const stream = Buffer.from(Array.from({ length: 500 }, (_, index) => index % 251));

test("whatever the order, the overlaps and the repetitions, the bytes come once and in order", () => {
  const piece = fc.record({ at: fc.nat(480), size: fc.integer({ min: 1, max: 40 }) });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const buffer = new ReceiveBuffer(FIRST, CAPACITY);
      const got: Buffer[] = [];
      const offer = (at: number, size: number): void => {
        const before = buffer.readableBytes;
        const data = stream.subarray(at, Math.min(stream.length, at + size));
        assert.equal(buffer.insert(FIRST + at, data), buffer.readableBytes - before);
        assert.ok(buffer.readableBytes <= CAPACITY && buffer.window >= 0);
      };
      const drain = (): void => {
        for (let bytes = buffer.read(7); bytes !== undefined; bytes = buffer.read(7)) got.push(bytes);
      };
      for (const { at, size } of pieces) {
        offer(at, size);
        if (at % 3 === 0) drain();
      }
      // A sender goes on until all is there.
      buffer.finAt = FIRST + stream.length;
      for (let round = 0; !buffer.finished; round += 1) {
        assert.ok(round < 1000, "stuck");
        drain();
        offer(buffer.next - FIRST, 13);
      }
      drain();
      assert.deepEqual(Buffer.concat(got), stream);
      assert.deepEqual(buffer.sacks(), []);
    }),
  );
});

test("stretches that arrived early are named, joined where they touch", () => {
  const buffer = new ReceiveBuffer(0, CAPACITY);
  buffer.insert(10, Buffer.alloc(5));
  buffer.insert(15, Buffer.alloc(5));
  buffer.insert(30, Buffer.alloc(5));
  assert.deepEqual(buffer.sacks(), [
    [10, 20],
    [30, 35],
  ]);
  buffer.insert(0, Buffer.alloc(10));
  assert.equal(buffer.next, 20);
  assert.equal(buffer.readableBytes, 20);
  assert.equal(buffer.window, CAPACITY - 20);
});
