import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decoded } from "../../../testing/codec/check.ts";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { chain } from "../frame-codec.ts";
import { lengthPrefix } from "../boundaries/length-prefix.ts";
import { text } from "./text.ts";
import { varintPrefix } from "../boundaries/varint-prefix.ts";

codecSuite("chain(lengthPrefix(), text())", () => chain(lengthPrefix(), text()), {
  messages: ["", "hola\r\n", "ñandú", "\u{feff}x", "é".repeat(3000), "日".repeat(9000), "x".repeat(16_384)],
  sized: (bytes) => "x".repeat(bytes),
  vectors: [{ message: "ñ", wire: Buffer.from("00000002c3b1", "hex") }],
  refuses: [{ wire: Buffer.from("00000002c328", "hex"), code: "FRAME_INVALID" }],
  unsendable: [
    { message: "\udc00", code: "FRAME_INVALID" },
    { message: `${"x".repeat(20_000)}\ud800`, code: "FRAME_INVALID" },
    { message: 1 as unknown as string, code: "FRAME_INVALID" },
  ],
  limited: { codec: chain(lengthPrefix({ maxFrameBytes: 9 }), text()), longest: "123456789", tooLong: "日本語x" },
});

codecSuite("chain(varintPrefix(), text latin1)", () => chain(varintPrefix(), text({ encoding: "latin1" })), {
  messages: ["", "ñ", "\u0000\u00ff"],
  sized: (bytes) => "é".repeat(bytes),
  unsendable: [
    { message: "\u0100", code: "FRAME_INVALID" },
    { message: null as unknown as string, code: "FRAME_INVALID" },
  ],
});

describe("text", () => {
  it("replaces invalid bytes when asked to", () => {
    const codec = chain(varintPrefix(), text({ invalid: "replace" }));
    assert.deepEqual(decoded(codec.createDecoder(), [Buffer.from("0361ff62", "hex")]).messages, ["a\ufffdb"]);
  });

  it("checks its options", () => {
    for (const options of [{ encoding: "ascii" }, { invalid: "drop" }]) {
      assert.throws(() => text(options as unknown as { invalid: "error" }), { code: "OPTION_INVALID", op: "text" });
    }
  });
});
