import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copyBytes } from "./copy-bytes.ts";

describe("copyBytes", () => {
  it("copies any range of any size, and nothing else", () => {
    const memory = Buffer.from(Array.from({ length: 100 }, (_, index) => index + 1));
    for (const source of [memory, new Uint8Array(memory), memory.subarray(10, 60)]) {
      for (let start = 0; start <= source.length; start += 7) {
        for (let end = start; end <= source.length; end += 3) {
          const target = Buffer.alloc(110);
          copyBytes(source, start, end, target, 5);
          assert.deepEqual(target.subarray(5, 5 + end - start), Buffer.from(source.subarray(start, end)));
          assert.ok(target.subarray(0, 5).every((byte) => byte === 0));
          assert.ok(target.subarray(5 + end - start).every((byte) => byte === 0));
        }
      }
    }
  });
});
