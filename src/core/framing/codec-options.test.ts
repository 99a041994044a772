import assert from "node:assert/strict";
import { test } from "node:test";
import * as framing from "../../framing.ts";
import { UsageError } from "../errors.ts";

/** What a program without types would pass. */
function untyped(value: unknown): never {
  return value as never;
}

const codecs: readonly (readonly [string, (options: never) => unknown])[] = [
  ["cobs", framing.cobs],
  ["lengthPrefix", framing.lengthPrefix],
  ["lines", framing.lines],
  ["netstring", framing.netstring],
  ["slip", framing.slip],
  ["text", framing.text],
  ["varintPrefix", framing.varintPrefix],
  ["defineCodec", framing.defineCodec],
  ["delimiter", (options) => framing.delimiter(";", options)],
  ["chain", (codec) => framing.chain(codec, framing.json())],
  ["chain", (format) => framing.chain(framing.lines(), format)],
];

for (const [index, [name, make]] of codecs.entries()) {
  test(`${name} (${index}): options that are no object are an error of the call`, () => {
    for (const value of [null, "x", 5, true]) {
      assert.throws(
        () => make(untyped(value)),
        (error) => error instanceof UsageError && error.code === "OPTION_INVALID" && error.op === name,
      );
    }
  });
}

test("an option that there is not is refused by every codec and format, and the one that was meant is named", () => {
  const tlv = { name: "tlv", frameLength: () => 1, decode: () => 1, encode: () => "" };
  for (const [make, options, meant] of [
    [framing.cobs, { maxFrameByte: 5 }, "maxFrameBytes"],
    [framing.lengthPrefix, { endianness: "little" }, "endian"],
    [framing.lengthPrefix, { bytes: 2, maxframebytes: 5 }, "maxFrameBytes"],
    [framing.lines, { maxFrameBytes: 5 }, "maxLineBytes"],
    [framing.lines, { resynchronize: () => undefined }, "resynchronise"],
    [framing.netstring, { maxFramBytes: 5 }, "maxFrameBytes"],
    [framing.slip, { leadingEND: true }, "leadingEnd"],
    [framing.text, { encodings: "latin1" }, "encoding"],
    [framing.varintPrefix, { maxFrameBytess: 5 }, "maxFrameBytes"],
    [framing.json, { inexakt: "round" }, "inexact"],
    [framing.msgpack, { maxValue: 5 }, "maxValues"],
    [framing.defineCodec, { ...tlv, maxFrameByte: 5 }, "maxFrameBytes"],
    [(given: object) => framing.delimiter(";", given), { maxLineBytes: 5 }, "maxFrameBytes"],
  ] as const) {
    assert.throws(
      () => make(untyped(options)),
      (error) => {
        assert.ok(error instanceof UsageError && error.code === "OPTION_INVALID", String(error));
        assert.match(error.detail, new RegExp(`^there is no option ".*"; did you mean "${meant}"\\?$`));
        return true;
      },
    );
  }
});

test("an option that is undefined has its default", () => {
  const gone = undefined;
  assert.equal(
    framing.lines({ maxLineBytes: gone, ending: gone, encoding: gone, resynchronise: gone }).maxFrameBytes,
    65_536,
  );
  const head = { bytes: gone, endian: gone, offset: gone, adjustment: gone, skip: gone, maxFrameBytes: gone };
  const writer = new framing.ByteWriter();
  framing.lengthPrefix(head).encode(Buffer.from("x"), writer);
  assert.equal(Buffer.concat(writer.take().chunks).toString("hex"), "0000000178");
});

test("a definition may use what else it has, and a function of it is called on it", () => {
  class Tlv {
    readonly name = "tlv";
    readonly #head = 2;
    frameLength(bytes: Buffer, start: number): number {
      return this.#head + bytes.readUInt8(start + 1);
    }
    decode(frame: Buffer): string {
      return frame.toString("utf8", this.#head);
    }
    encode(text: string): Uint8Array {
      return Buffer.from([7, text.length, ...Buffer.from(text)]);
    }
  }
  const codec = framing.defineCodec(new Tlv());
  const got: string[] = [];
  codec.createDecoder().decode(Buffer.from([7, 1, 0x61]), 0, 3, (text) => got.push(text));
  assert.deepEqual(got, ["a"]);
});

test("what skipped messages are told to must be a function", () => {
  for (const value of [null, true, "log"]) {
    assert.throws(() => framing.lines({ resynchronise: untyped(value) }), /resynchronise must be a function/);
    assert.throws(() => framing.cobs({ resynchronise: untyped(value) }), /resynchronise must be a function/);
    assert.throws(() => framing.slip({ resynchronise: untyped(value) }), /resynchronise must be a function/);
    assert.throws(() => framing.delimiter("x", { resynchronise: untyped(value) }), /resynchronise must be a function/);
  }
});

test("a size that has no text of its own is named all the same", () => {
  assert.throws(() => framing.fixedSize(untyped(Symbol("many"))), /bytes must be a whole number .* Symbol\(many\)/);
});
