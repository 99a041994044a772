import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findByte } from "./find-byte.ts";

describe("findByte", () => {
  it("finds the first one in any range, near and far, and looks at nothing else", () => {
    for (const size of [0, 1, 11, 12, 13, 100]) {
      for (let place = 0; place < size; place += 1) {
        const bytes = Buffer.alloc(size + 6);
        bytes[2] = 9; // before the range
        bytes[3 + place] = 9;
        bytes[size - 1 + 3] = 9;
        bytes[3 + size] = 9; // behind it
        assert.equal(findByte(bytes, 9, 3, 3 + size), 3 + place, `${size} ${place}`);
        assert.equal(findByte(bytes.subarray(0, 3 + size), 9, 3, 3 + size), 3 + place);
      }
      const without = Buffer.alloc(size + 6, 1);
      without[2] = without[3 + size] = 9;
      assert.equal(findByte(without, 9, 3, 3 + size), -1, `${size}`);
      assert.equal(findByte(without.subarray(0, 3 + size), 9, 3, 3 + size), -1, `${size}`);
    }
  });
});
