import assert from "node:assert/strict";
import { test } from "node:test";
import { ParserInput } from "./parser-input.ts";

function inputOf(text: string, at = 0): ParserInput {
  const input = new ParserInput();
  input.bytes = Buffer.from(text, "latin1");
  input.end = input.bytes.length;
  input.at = at;
  return input;
}

test("take reads on, or says how many bytes it needs", () => {
  const input = inputOf("hola", 1);
  assert.equal(String(input.take(2)), "ol");
  assert.equal(input.take(2), undefined);
  assert.deepEqual([input.at, input.neededBytes], [3, 2]);
  assert.equal(String(input.take(0)), "");
});

test("take never goes back, whatever number a peer has sent", () => {
  const input = inputOf("hola", 3);
  for (const count of [-1, -3, -Infinity, 0.5, Number.NaN]) assert.throws(() => input.take(count), RangeError);
  assert.equal(input.at, 3);
});

test("takeUntil reads over the mark, also where it is cut, and searches another mark anew", () => {
  const input = inputOf("uno\r");
  assert.equal(input.takeUntil("\r\n"), undefined);
  assert.deepEqual([input.at, input.neededBytes], [0, 5]);
  input.bytes = Buffer.from("uno\r\ndos");
  input.end = input.bytes.length;
  assert.equal(String(input.takeUntil("\r\n")), "uno");
  assert.equal(input.at, 5);
  assert.equal(input.takeUntil("\n"), undefined);
  assert.equal(String(input.takeUntil("s")), "do");
});

test("takeUntil looks at each byte once, until another message begins", () => {
  const input = inputOf("aaaa");
  assert.equal(input.takeUntil("b"), undefined);
  // A mark that comes where it has looked already is not seen: such bytes do not change.
  input.bytes = Buffer.from("abaaab");
  input.end = 6;
  assert.equal(String(input.takeUntil("b")), "abaaa");
  input.at = 0;
  input.begin();
  assert.equal(String(input.takeUntil("b")), "a");
});
