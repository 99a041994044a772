import assert from "node:assert/strict";
import { test } from "node:test";
import { enhancedPacket, interfaceDescription, sectionHeader } from "./pcapng.ts";

test("blocks are multiples of four and say their length at both ends; times have 64 bits", () => {
  const packet = enhancedPacket(3, 0x1_0000_0002, Buffer.from("12345"), "odd");
  for (const block of [sectionHeader("x"), interfaceDescription("host"), packet]) {
    assert.equal(block.length % 4, 0);
    assert.deepEqual([block.readUInt32LE(4), block.readUInt32LE(block.length - 4)], [block.length, block.length]);
  }
  const fields = [8, 12, 16, 20, 24].map((at) => packet.readUInt32LE(at));
  assert.deepEqual(fields, [3, 1, 2, 5, 5]);
  assert.equal(packet.toString("latin1", 28, 33), "12345");
  // A comment is option 1, and the options have an end.
  assert.deepEqual(
    [packet.readUInt16LE(36), packet.readUInt16LE(38), packet.toString("latin1", 40, 43)],
    [1, 3, "odd"],
  );
  assert.equal(packet.readUInt32LE(44), 0);
});

test("a text that is too long for an option is cut", () => {
  const block = interfaceDescription("ñ€".repeat(100_000));
  assert.equal(block.readUInt32LE(4), block.length);
  assert.equal(block.readUInt16LE(18), 50_000);
});
