import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decoded } from "../../../testing/codec/check.ts";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { varintPrefix } from "./varint-prefix.ts";

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
