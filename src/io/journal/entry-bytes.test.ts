import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeEntry, encodeEntry } from "./entry-bytes.ts";

test("an entry is read as it was written, also behind other bytes", () => {
  const body = Buffer.from([0, 255]);
  for (const before of [0, 8]) {
    for (const topic of ["g/ñ", ""]) {
      const read = decodeEntry(encodeEntry(topic, body, before), before);
      assert.deepEqual([read.topic, Buffer.from(read.body)], [topic, body]);
    }
  }
});

test("what is no entry, at any length, is one to nobody", () => {
  const entry = encodeEntry("g/room", Buffer.from("body"));
  for (let length = 0; length < 4 + "g/room".length; length += 1) {
    // Inside of larger memory: what stands behind it is not read.
    assert.deepEqual(decodeEntry(entry.subarray(0, length)), { topic: "", body: new Uint8Array() }, String(length));
  }
  assert.equal(decodeEntry(Buffer.alloc(100, 255)).topic, "");
});
