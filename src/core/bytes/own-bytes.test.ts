import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { beginArrival, endArrival, lastingCopy, lastingMemory, ownBytes } from "./own-bytes.ts";

describe("ownBytes", () => {
  it("copies each range once, whatever the ranges are and whatever becomes of the bytes", () => {
    const range = fc.tuple(fc.nat(3000), fc.nat(30_000));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), (sizes) => {
        const arrival = Buffer.alloc(65_536, "abcdefghijklmnopqrstuvwxyz0");
        const kept: (readonly [copy: Buffer, expected: Buffer])[] = [];
        beginArrival(arrival);
        let at = 0;
        for (const [gap, size] of sizes) {
          const start = Math.min(arrival.length, at + (gap % 9));
          const end = Math.min(arrival.length, start + (gap % 3 === 0 ? size : gap % 200));
          const expected = Buffer.from(arrival.subarray(start, end));
          const copy = ownBytes(arrival, start, end);
          assert.deepEqual(copy, expected);
          // Who writes into a message of its own changes no other.
          copy.fill(1);
          kept.push([copy, Buffer.alloc(copy.length, 1)]);
          at = end;
        }
        endArrival();
        arrival.fill(0);
        for (const [copy, expected] of kept) assert.deepEqual(copy, expected);
      }),
    );
  });

  it("copies alone what is not in the arrival, comes behind it, or is large", () => {
    const arrival = Buffer.alloc(4096, "x");
    beginArrival(arrival);
    const first = ownBytes(arrival, 0, 10);
    ownBytes(arrival, 10, 210);
    const [second, third] = [ownBytes(arrival, 210, 220), ownBytes(arrival, 220, 230)];
    assert.ok(second.buffer === third.buffer && third.byteOffset === second.byteOffset + 10);
    assert.deepEqual(ownBytes(arrival, 0, 2000), Buffer.alloc(2000, "x"));
    assert.deepEqual(ownBytes(Buffer.from("other"), 0, 3), Buffer.from("oth"));
    endArrival();
    arrival.fill("y");
    assert.deepEqual(ownBytes(arrival, 0, 10), Buffer.from("yyyyyyyyyy"));
    beginArrival(arrival);
    assert.deepEqual(ownBytes(arrival, 0, 10), Buffer.from("yyyyyyyyyy"));
    endArrival();
    assert.deepEqual(String(first), "xxxxxxxxxx");
  });

  /** Memory that the copies of messages of these sizes pin, with heads of 7 bytes between them. */
  function pinnedBytes(sizes: readonly number[], isKept: (size: number) => boolean): number {
    const arrival = Buffer.alloc(65_536);
    const memory = new Map<ArrayBufferLike, number>();
    let at = arrival.length;
    for (const size of sizes) {
      if (at + size > arrival.length) {
        beginArrival(arrival);
        at = 0;
      }
      const { buffer } = ownBytes(arrival, at, at + size);
      if (isKept(size)) memory.set(buffer, buffer.byteLength);
      at += size + 7;
    }
    endArrival();
    return [...memory.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  it("lets a small message pin no part of the large one behind it", () => {
    const turns = Array.from({ length: 4000 }, (_, index) => (index % 2 === 0 ? 1 : 8192));
    // Node's own pool gives 8 bytes for one.
    assert.ok(pinnedBytes(turns, (size) => size === 1) <= 2000 * 8 + 2 * Buffer.poolSize);
  });

  it("lets a small message pin no larger one that the pool of the runtime holds beside it", () => {
    const turns = Array.from({ length: 4000 }, (_, index) => (index % 2 === 0 ? 1 : 3000));
    assert.ok(pinnedBytes(turns, (size) => size === 1) <= 2000 * 8 + Buffer.poolSize);
  });

  it("pins at most some four times the bytes that are kept, whatever their sizes are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 9000 })), { minLength: 1 }),
        (some) => {
          const sizes = Array.from({ length: 20 }, () => some).flat();
          const keptBytes = sizes.reduce((sum, size) => sum + Math.max(8, size), 0);
          assert.ok(pinnedBytes(sizes, () => true) <= 4 * keptBytes + 3 * Buffer.poolSize);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test("what is kept pins no large piece that was made before or after it", () => {
  for (const largeBytes of [3000, 4096, 8192, 30_000, 65_536]) {
    const kept = new Map<ArrayBufferLike, number>();
    for (let turn = 0; turn < 1000; turn += 1) {
      const { buffer } = lastingMemory(1);
      kept.set(buffer, buffer.byteLength);
      lastingMemory(largeBytes);
    }
    const pinnedBytes = [...kept.values()].reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(pinnedBytes <= 1000 * 8, `${pinnedBytes} beside pieces of ${largeBytes}`);
  }
});

test("a copy has the bytes, and none of the memory", () => {
  for (const count of [0, 1, 64, 65, 4095, 4096, 100_000]) {
    const bytes = new Uint8Array(count).fill(7);
    const copy = lastingCopy(bytes);
    bytes.fill(0);
    assert.deepEqual(copy, Buffer.alloc(count, 7));
  }
});
