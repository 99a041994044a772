import assert from "node:assert/strict";
import { inspect } from "node:util";
import { copyBytes, findByte, viewBytes } from "./byte-range.ts";
import { describe, it } from "node:test";

describe("viewBytes", () => {
  const memory = Buffer.from("[ñandú]");
  const view = viewBytes(memory.subarray(1), 0, 7);

  it("is a Buffer in all that it can do", () => {
    assert.ok(Buffer.isBuffer(view) && view instanceof Buffer && view instanceof Uint8Array);
    assert.equal(String(view), "ñandú");
    assert.equal(view.toString("hex"), "c3b1616e64c3ba");
    assert.equal(view.readUInt16BE(0), 0xc3b1);
    assert.equal(inspect(view), inspect(Buffer.from("ñandú")));
    assert.equal(JSON.stringify(view), JSON.stringify(Buffer.from("ñandú")));
    assert.ok(view.equals(Buffer.from("ñandú")) && Buffer.from("ñandú").equals(view));
    assert.equal(view.indexOf("n"), 3);
    assert.deepEqual(Buffer.concat([view, view]).length, 14);
    assert.deepEqual(Buffer.from(view), Buffer.from("ñandú"));
    assert.deepEqual(view.subarray(2, 4), Buffer.from("an"));
  });

  it("shares the memory", () => {
    memory[3] = 0x41;
    assert.equal(String(view), "ñAndú");
  });
});

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
