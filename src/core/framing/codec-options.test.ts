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

test("what skipped messages are told to must be a function", () => {
  for (const value of [null, true, "log"]) {
    assert.throws(() => framing.lines({ resynchronise: untyped(value) }), /resynchronise must be a function/);
    assert.throws(() => framing.cobs({ resynchronise: untyped(value) }), /resynchronise must be a function/);
  }
});

test("a size that has no text of its own is named all the same", () => {
  assert.throws(() => framing.fixedSize(untyped(Symbol("many"))), /bytes must be a whole number .* Symbol\(many\)/);
});
