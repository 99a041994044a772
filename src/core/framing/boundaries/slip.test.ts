import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decoded, encoded, equalPieces } from "../../../testing/codec/check.ts";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { slip } from "./slip.ts";

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(" ", ""), "hex");
const sized = (bytes: number): Buffer => Buffer.alloc(bytes, 3);
const END = 0xc0;

codecSuite("slip", () => slip({ maxFrameBytes: 70_000 }), {
  messages: [hex("00"), hex("c0"), hex("db"), hex("dbdc"), hex("01c0dbdd02"), sized(300)],
  sized,
  vectors: [
    // RFC 1055, "PROTOCOL": END is 300 octal, ESC 333; they are sent as ESC 334 and ESC 335.
    { message: hex("61c062"), wire: hex("61 dbdc 62 c0") },
    { message: hex("61db62"), wire: hex("61 dbdd 62 c0") },
    { message: hex("c0dbc0"), wire: hex("dbdc dbdd dbdc c0") },
  ],
  accepts: [
    // An END also before each message, and empty messages, which are thrown away.
    { wire: hex("c0 61 c0 c0 62 c0 c0 c0"), messages: [new Uint8Array([0x61]), new Uint8Array([0x62])] },
  ],
  refuses: [
    { wire: hex("db61c0"), code: "FRAME_INVALID" },
    { wire: hex("61dbc0"), code: "FRAME_INVALID" },
    { wire: hex("dbdbdcc0"), code: "FRAME_INVALID" },
  ],
  unsendable: [
    { message: hex(""), code: "FRAME_INVALID" },
    { message: sized(70_001), code: "FRAME_TOO_LONG" },
  ],
  limited: { codec: slip({ maxFrameBytes: 100 }), longest: sized(100), tooLong: sized(101) },
});

codecSuite("slip with an END before each message", () => slip({ leadingEnd: true }), {
  messages: [hex("61"), hex("c0"), hex("db")],
  sized: (bytes) => Buffer.alloc(bytes, END),
  vectors: [{ message: hex("61"), wire: hex("c0 61 c0") }],
  limited: {
    codec: slip({ maxFrameBytes: 100, leadingEnd: true }),
    longest: Buffer.alloc(100, END),
    tooLong: Buffer.alloc(101, END),
  },
});

describe("slip", () => {
  it("any bytes arrive, and have no END inside on the way", () => {
    const content = fc.uint8Array({ minLength: 1, maxLength: 300 });
    const manyEscapes = content.map((bytes) => bytes.map((byte) => [END, 0xdb, 0xdc, 0xdd, byte][byte % 5] as number));
    fc.assert(
      fc.property(fc.oneof(content, manyEscapes), (message) => {
        const wire = encoded(slip(), [message]);
        assert.equal(wire.indexOf(END), wire.length - 1);
        assert.deepEqual(decoded(slip().createDecoder(), [wire]).messages, [Buffer.from(message)]);
      }),
    );
  });
});

it("an END between messages is no message too long, wherever it stands in what arrives", () => {
  const codec = slip({ maxFrameBytes: 5, leadingEnd: true });
  const sent = Array.from({ length: 10 }, () => Buffer.from("hello"));
  const { messages, error } = decoded(codec.createDecoder(), [encoded(codec, sent)]);
  assert.equal(error, undefined);
  assert.equal(messages.length, 10);
});

describe("slip, told to resynchronise", () => {
  it("skips and reports wrong messages, the same however they are cut", () => {
    const wire = hex("01 02 c0  01 db 03 c0  db c0  04 c0 c0  01 02 03 04 05 06 07 c0  05 db dc c0");
    const expected = {
      messages: ["0102", "04", "05c0"],
      skipped: [
        ["FRAME_INVALID", 4],
        ["FRAME_INVALID", 2],
        ["FRAME_TOO_LONG", 8],
      ],
    };
    for (let size = 1; size <= wire.length; size += 1) {
      const skipped: (readonly [code: string, bytes: number])[] = [];
      const codec = slip({ maxFrameBytes: 3, resynchronise: ({ code, bytes }) => skipped.push([code, bytes]) });
      const { messages, error } = decoded(codec.createDecoder(), equalPieces(wire, size));
      assert.equal(error, undefined);
      assert.deepEqual({ messages: messages.map((message) => message.toString("hex")), skipped }, expected);
    }
  });
});
