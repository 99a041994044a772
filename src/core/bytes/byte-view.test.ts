import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { viewBytes } from "./byte-view.ts";

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
