import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { datagramReplies } from "./datagram-replies.ts";
import { REPLY_NAMES } from "./replies.ts";

test("an answer is never longer than its question (SEMANTICS B3)", () => {
  const text = fc.string({ unit: "grapheme" }).map((value) => Buffer.from(value));
  const bytes = fc.uint8Array().map((value) => Buffer.from(value));
  fc.assert(
    fc.property(fc.oneof(text, bytes), fc.constantFrom(...REPLY_NAMES), (question, name) => {
      const answer = datagramReplies[name](question);
      assert.ok(answer === undefined || answer.length <= question.length);
    }),
  );
});

test("capitals that need more bytes are cut between two letters", () => {
  const upper = (text: string): string | undefined => datagramReplies.upper(Buffer.from(text))?.toString();
  assert.equal(upper("hola, ñandú"), "HOLA, ÑANDÚ");
  assert.equal(upper("straße"), "STRASSE");
  // U+0149 becomes two letters of three bytes.
  assert.equal(upper("\u0149"), "\u02bc");
  assert.equal(upper("a\u0390"), "A\u0399");
});

test("the other services", () => {
  const question = Buffer.from("0123456789012345678901234567890123456789");
  assert.equal(datagramReplies.echo(question), question);
  assert.equal(datagramReplies.discard(question), undefined);
  assert.match(String(datagramReplies.time(question)), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(datagramReplies.chargen(question)?.toString(), " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFG");
});
