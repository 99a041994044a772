import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decoded } from "../../../testing/codec/check.ts";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { varintBytes, varintPrefix, writeVarint } from "./varint-prefix.ts";

const sized = (bytes: number): Buffer => Buffer.alloc(bytes, 3);
const hex = (digits: string): Buffer => Buffer.from(digits, "hex");

codecSuite("varintPrefix", () => varintPrefix(), {
  messages: [sized(0), sized(1), sized(127), sized(128), sized(300), sized(16_384)],
  sized,
  vectors: [
    // The numbers 150 and 300 are those of https://protobuf.dev/programming-guides/encoding/#varints
    { message: sized(150), wire: Buffer.concat([hex("9601"), sized(150)]) },
    { message: sized(300), wire: Buffer.concat([hex("ac02"), sized(300)]) },
    // The message Test1 of the same page, as writeDelimitedTo sends it.
    { message: hex("089601"), wire: hex("03089601") },
    { message: sized(127), wire: Buffer.concat([hex("7f"), sized(127)]) },
    { message: sized(128), wire: Buffer.concat([hex("8001"), sized(128)]) },
    { message: sized(0), wire: hex("00") },
  ],
  refuses: [
    { wire: hex("8000"), code: "FRAME_INVALID" },
    { wire: hex("818000"), code: "FRAME_INVALID" },
    { wire: hex("81808004"), code: "FRAME_TOO_LONG" },
    { wire: hex("80808080"), code: "FRAME_TOO_LONG" },
    { wire: hex("ffffffffffffffffffff"), code: "FRAME_TOO_LONG" },
  ],
  limited: { codec: varintPrefix({ maxFrameBytes: 200 }), longest: sized(200), tooLong: sized(201) },
});

codecSuite(
  "varintPrefix with a limit where a byte of the length begins",
  () => varintPrefix({ maxFrameBytes: 65_536 }),
  {
    messages: [sized(0), sized(1), sized(128)],
    sized,
    limited: { codec: varintPrefix({ maxFrameBytes: 128 }), longest: sized(128), tooLong: sized(129) },
  },
);

describe("varintPrefix", () => {
  it("reads the longest length that its limit allows, and not one more", () => {
    for (const [limit, longest, tooLong] of [
      [127, "7f", "8001"],
      [128, "8001", "8101"],
      [16_383, "ff7f", "808001"],
      [2_097_151, "ffff7f", "80808001"],
    ] as const) {
      const decoder = varintPrefix({ maxFrameBytes: limit }).createDecoder();
      assert.equal(decoded(decoder, [hex(longest)], false).error, undefined);
      assert.equal(decoded(decoder, [sized(limit)]).messages[0]?.length, limit);
      const { error } = decoded(varintPrefix({ maxFrameBytes: limit }).createDecoder(), [hex(tooLong)]);
      assert.equal(error?.code, "FRAME_TOO_LONG", `${limit}`);
    }
  });
});

function written(value: number): string {
  const bytes = Buffer.alloc(10, 0xee);
  const end = writeVarint(bytes, 1, value);
  assert.equal(end, 1 + varintBytes(value));
  return bytes.toString("hex", 1, end);
}

describe("varints", () => {
  it("are those of protocol buffers", () => {
    // 1, 150 and 300: https://protobuf.dev/programming-guides/encoding/#varints
    const vectors = {
      0: "00",
      1: "01",
      127: "7f",
      128: "8001",
      150: "9601",
      300: "ac02",
      16_383: "ff7f",
      16_384: "808001",
    };
    for (const [value, digits] of Object.entries(vectors)) assert.equal(written(Number(value)), digits);
    assert.equal(written(0xffff_ffff), "ffffffff0f");
    assert.equal(written(Number.MAX_SAFE_INTEGER), "ffffffffffffff0f");
  });

  it("give back any whole number, as big integers compute it", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        let result = 0n;
        for (const [index, byte] of [...Buffer.from(written(value), "hex")].entries()) {
          result |= BigInt(byte & 0x7f) << BigInt(7 * index);
        }
        assert.equal(result, BigInt(value));
      }),
    );
  });
});
