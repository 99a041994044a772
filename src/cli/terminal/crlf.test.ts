import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toCrlf } from "./crlf.ts";

/** Translates `text` cut at `cuts`. */
function translated(text: string, cuts: readonly number[]): string {
  const translate = toCrlf();
  const bytes = Buffer.from(text);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let begin = 0;
  const pieces = ends.map((end) => {
    const piece = Buffer.from(translate(bytes.subarray(begin, end)));
    begin = end;
    return piece;
  });
  return Buffer.concat(pieces).toString();
}

test("a line end gets its CR, one that has it keeps it", () => {
  assert.equal(translated("a\nb\r\n\n\r", []), "a\r\nb\r\n\r\n\r");
});

test("the result does not depend on where the bytes are cut", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "\r", "\n") });
  fc.assert(
    fc.property(text, fc.array(fc.nat()), (line, cuts) => {
      assert.equal(translated(line, cuts), line.replaceAll(/\r?\n/g, "\r\n"));
    }),
  );
});
