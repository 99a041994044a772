import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decoded, encoded } from "../../testing/codec/check.ts";
import { codecSuite } from "../../testing/codec/suite.ts";
import { ProtocolError } from "../errors.ts";
import { chain } from "./frame-codec.ts";
import { type CodecDefinition, defineCodec } from "./define-codec.ts";
import { json } from "./formats/json.ts";

interface Tlv {
  readonly type: number;
  readonly value: Uint8Array;
}

const definition: CodecDefinition<Tlv> = {
  name: "tlv",
  maxFrameBytes: 65_538,
  frameLength: (bytes, start, end) => (end - start < 3 ? undefined : 3 + bytes.readUInt16BE(start + 1)),
  decode: (frame) => ({ type: frame.readUInt8(0), value: new Uint8Array(frame.subarray(3)) }),
  encode: ({ type, value }) => Buffer.concat([Buffer.from([type, value.length >> 8, value.length]), value]),
};
const tlv = (type: number, bytes: number): Tlv => ({ type, value: new Uint8Array(bytes).fill(type) });

codecSuite("defineCodec with a header", () => defineCodec(definition), {
  messages: [tlv(0, 0), tlv(1, 1), tlv(255, 300)],
  sized: (bytes) => tlv(7, Math.min(bytes, 65_535)),
  vectors: [{ message: tlv(7, 2), wire: Buffer.from([7, 0, 2, 7, 7]) }],
  limited: { codec: defineCodec({ ...definition, maxFrameBytes: 103 }), longest: tlv(1, 100), tooLong: tlv(1, 101) },
});

/** Sentences: the length is found by a search, which goes on where it ended. */
const sentences = defineCodec<string>({
  name: "sentences",
  frameLength(bytes, _start, end, seen) {
    for (let at = seen; at < end; at += 1) if (bytes[at] === 0x2e) return at + 1 - _start;
    return undefined;
  },
  decode: (frame) => frame.toString("utf8"),
  encode: (sentence) => sentence,
});

codecSuite("defineCodec with a search", () => sentences, {
  messages: [".", "Hola.", "¿Qué tal, ñandú?."],
  sized: (bytes) => `${"x".repeat(bytes - 1)}.`,
});

describe("defineCodec", () => {
  it("refuses a name that cannot stand in an error, and a limit that is none", () => {
    for (const name of ["", "a b", "a+b"]) {
      assert.throws(() => defineCodec({ ...definition, name }), { code: "OPTION_INVALID" });
    }
    assert.throws(() => defineCodec({ ...definition, maxFrameBytes: 0 }), {
      code: "OPTION_INVALID",
      op: "defineCodec",
    });
  });

  it("makes FRAME_INVALID of what the functions throw, with the cause", () => {
    const cause = new RangeError("no such type");
    const fail = (): never => {
      throw cause;
    };
    for (const broken of [{ frameLength: fail }, { decode: fail }]) {
      const { error } = decoded(defineCodec({ ...definition, ...broken }).createDecoder(), [Buffer.from([1, 0, 0])]);
      assert.ok(error instanceof ProtocolError);
      assert.deepEqual([error.code, error.cause], ["FRAME_INVALID", cause]);
    }
    const unsendable = defineCodec<Tlv>({ ...definition, encode: fail });
    assert.throws(() => encoded(unsendable, [tlv(1, 1)]), { code: "FRAME_INVALID", side: "local", cause });
  });

  it("takes no length for an answer that is none", () => {
    for (const length of [0, -1, 1.5, Number.NaN]) {
      const codec = defineCodec({ ...definition, frameLength: () => length });
      assert.equal(decoded(codec.createDecoder(), [Buffer.from("abc")]).error?.code, "FRAME_INVALID");
    }
  });

  it("sends nothing when encode returns what is neither bytes nor text", () => {
    for (const answer of [undefined, null, 5, [1], new DataView(new ArrayBuffer(2))]) {
      const broken = {
        name: "broken",
        frameLength: () => 1,
        decode: String,
        encode: () => answer as unknown as string,
      };
      assert.throws(() => encoded(defineCodec<string>(broken), ["x"]), { code: "FRAME_INVALID", side: "local" });
    }
  });

  it("refuses to send no bytes", () => {
    assert.throws(() => encoded(sentences, [""]), { code: "FRAME_INVALID", side: "local" });
  });

  it("stops a length that shrinks while the message comes", () => {
    const codec = defineCodec({ ...definition, frameLength: (_, start, end) => (end - start < 5 ? 9 : 2) });
    const decoder = codec.createDecoder();
    decoder.decode(Buffer.from("abcd"), 0, 4, () => assert.fail("nothing is complete"));
    assert.throws(() => decoder.decode(Buffer.from("efghijk"), 0, 7, () => undefined), /the codec is wrong/);
  });

  it("copies with `own` what a message keeps of its bytes", () => {
    const views = defineCodec<Buffer>({
      name: "views",
      frameLength: () => 2,
      decode: (frame) => frame,
      encode: (frame) => frame,
      own: (frame) => Buffer.from(frame),
    });
    const wire = Buffer.from("abcd");
    const decoder = views.createDecoder();
    const kept: Buffer[] = [];
    decoder.decode(wire, 0, 4, (frame) => kept.push(decoder.own(frame)));
    wire.fill("x");
    assert.deepEqual(kept.map(String), ["ab", "cd"]);
  });

  it("can be a boundary for another format", () => {
    const eight = defineCodec<string>({ name: "eight", frameLength: () => 8, decode: String, encode: String });
    const codec = chain(eight, json());
    assert.deepEqual(decoded(codec.createDecoder(), [Buffer.from('{"a":12}{"b":34}')]).messages, [
      { a: 12 },
      { b: 34 },
    ]);
  });
});
