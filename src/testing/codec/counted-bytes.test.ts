import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countedBytes } from "./counted-bytes.ts";

describe("countedBytes", () => {
  it("counts looks by index, and those of methods", () => {
    const count = { looks: 0 };
    const bytes = countedBytes(Buffer.from([1, 2, 3, 4]), count);
    const looks = (look: () => unknown): number => {
      count.looks = 0;
      look();
      return count.looks;
    };
    assert.equal(
      looks(() => bytes[2]),
      1,
    );
    assert.equal(
      looks(() => bytes.length + bytes.byteOffset),
      0,
    );
    assert.ok(looks(() => bytes.readUInt16BE(1)) >= 2);
    assert.ok(looks(() => bytes.readUIntLE(0, 3)) >= 3);
    for (const look of [
      () => bytes.indexOf(3),
      () => bytes.includes(3),
      () => bytes.toString(),
      () => bytes.subarray(1),
    ]) {
      assert.ok(looks(look) >= 1, String(look));
    }
    assert.equal(bytes.readUInt16BE(1), 0x0203);
    assert.equal(bytes.indexOf(3), 2);
    assert.ok(Buffer.isBuffer(bytes));
  });
});
