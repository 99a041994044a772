import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { beginArrival, endArrival, ownBytes } from "./own-bytes.ts";

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
    const [first, second] = [ownBytes(arrival, 0, 10), ownBytes(arrival, 10, 20)];
    assert.ok(first.buffer === second.buffer && second.byteOffset === first.byteOffset + 10);
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
});
