import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decoded, encoded } from "../../../testing/codec/check.ts";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { cobs } from "./cobs.ts";
import type { SkippedFrame } from "../codec.ts";

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(" ", ""), "hex");
const sized = (bytes: number): Buffer => Buffer.alloc(bytes, 3);
/** `count` bytes from 1 on, none of them zero. */
const counting = (count: number): Buffer => Buffer.from(Array.from({ length: count }, (_, index) => (index % 255) + 1));

codecSuite("cobs", () => cobs({ maxFrameBytes: 70_000 }), {
  messages: [
    hex(""),
    hex("00"),
    hex("0000"),
    hex("11220033"),
    counting(253),
    counting(254),
    counting(255),
    counting(600),
  ],
  sized,
  vectors: [
    // The packet of figure 2 in Cheshire and Baker, "Consistent Overhead Byte Stuffing", 1999.
    { message: hex("4500002c4c79000040064f37"), wire: hex("02 45 01 04 2c4c79 01 05 40064f37 00") },
    { message: hex(""), wire: hex("01 00") },
    { message: hex("00"), wire: hex("01 01 00") },
    { message: hex("0000"), wire: hex("01 01 01 00") },
    { message: hex("001100"), wire: hex("01 0211 01 00") },
    { message: hex("11220033"), wire: hex("031122 0233 00") },
    { message: counting(253), wire: Buffer.concat([hex("fe"), counting(253), hex("00")]) },
    // A full block at the end: the program in the paper writes a last block 01.
    { message: counting(254), wire: Buffer.concat([hex("ff"), counting(254), hex("01 00")]) },
    { message: counting(255), wire: Buffer.concat([hex("ff"), counting(254), hex("02 ff 00")]) },
    {
      message: Buffer.concat([counting(254), hex("00")]),
      wire: Buffer.concat([hex("ff"), counting(254), hex("01 01 00")]),
    },
  ],
  accepts: [
    { wire: Buffer.concat([hex("ff"), counting(254), hex("00")]), messages: [new Uint8Array(counting(254))] },
    { wire: hex("00 00 0211 00 00 01 00 00"), messages: [new Uint8Array([0x11]), new Uint8Array(0)] },
  ],
  refuses: [
    { wire: hex("03 11 00"), code: "FRAME_INVALID" },
    { wire: hex("0211 ff 22 00"), code: "FRAME_INVALID" },
  ],
  unsendable: [{ message: sized(70_001), code: "FRAME_TOO_LONG" }],
  limited: { codec: cobs({ maxFrameBytes: 300 }), longest: sized(300), tooLong: sized(301) },
});

codecSuite("cobs of zeros", () => cobs(), {
  messages: [Buffer.alloc(1), Buffer.alloc(254), Buffer.alloc(255)],
  sized: (bytes) => Buffer.alloc(bytes),
  limited: { codec: cobs({ maxFrameBytes: 254 }), longest: counting(254), tooLong: counting(255) },
});

describe("cobs", () => {
  it("costs one byte, one more for each 254, and the zero", () => {
    for (const count of [0, 1, 253, 254, 255, 508, 5000]) {
      const { length } = encoded(cobs(), [counting(count)]);
      assert.equal(length, count + 1 + Math.floor(count / 254) + 1, `${count} bytes`);
    }
  });

  it("any bytes arrive, and have no zero on the way", () => {
    const content = fc.uint8Array({ maxLength: 600, size: "max" });
    const manyZeros = content.map((bytes) => bytes.map((byte) => (byte < 128 ? 0 : byte)));
    fc.assert(
      fc.property(fc.oneof(content, manyZeros), (message) => {
        const wire = encoded(cobs(), [message]);
        assert.equal(wire.indexOf(0), wire.length - 1);
        assert.deepEqual(decoded(cobs().createDecoder(), [wire]).messages, [Buffer.from(message)]);
      }),
    );
  });

  it("skips and reports wrong messages when asked to, the same however they are cut", () => {
    const wire = Buffer.concat([hex("0211 00 0911 00 0222 00"), Buffer.alloc(50, 2), hex("00 0233 00")]);
    for (const pieceBytes of [1, 3, wire.length]) {
      const skipped: SkippedFrame[] = [];
      const decoder = cobs({ maxFrameBytes: 10, resynchronise: (one) => skipped.push(one) }).createDecoder();
      const seen: number[] = [];
      for (let at = 0; at < wire.length; at += pieceBytes) {
        decoder.decode(wire, at, Math.min(at + pieceBytes, wire.length), (message) => seen.push(...message));
      }
      decoder.end();
      assert.deepEqual(seen, [0x11, 0x22, 0x33]);
      assert.deepEqual(
        skipped.map(({ code, bytes }) => [code, bytes]),
        [
          ["FRAME_INVALID", 3],
          ["FRAME_TOO_LONG", 51],
        ],
      );
    }
  });
});
