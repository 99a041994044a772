import assert from "node:assert/strict";
import { test } from "node:test";
import { InexactJson, parseExactly } from "./exact-json.ts";

test("a value is taken that its text survives, however it is written", () => {
  for (const text of [
    "0",
    "-0",
    "1.0",
    "1e2",
    "100",
    "0.1",
    "1.50e1",
    "0e999",
    "9007199254740991",
    "9007199254740992",
    "-123456789.25",
    "1e308",
    "5e-324",
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '"9007199254740993 {\\"k\\":1,\\"k\\":2}"',
    "[]",
  ]) {
    assert.deepEqual(parseExactly(text), JSON.parse(text), text);
  }
});

test("a number that would become another one is refused, and named", () => {
  for (const [text, problem] of [
    ["9007199254740993", /^the number 9007199254740993 would become 9007199254740992; write it as a text, in quotes$/],
    ['{"id":[12345678901234567890]}', /12345678901234567890 would become 12345678901234567000/],
    ["1e400", /would become Infinity/],
    ["-1e400", /would become -Infinity/],
    ["1e-400", /would become 0;/],
    ["0.1000000000000000055511151231257827", /would become 0\.1;/],
    ["1".repeat(1000), /the number 1{40}\.\.\. would become Infinity/],
  ] as const) {
    assert.throws(
      () => parseExactly(text),
      (error) => error instanceof InexactJson && problem.test(error.message),
      text,
    );
  }
});

test("two members with one name are refused, also when they are written in two ways", () => {
  for (const text of ['{"k":1,"k":2}', '[{"a":{"k":1,"x":[{}],"k":2}}]', '{"k":1,"\\u006b":2}', '{"":1,"" :2}']) {
    assert.throws(() => parseExactly(text), /^InexactJson: there are two members/, text);
  }
});

test("what is no JSON is a SyntaxError", () => {
  for (const text of ["", "{", "01", "{'a':1}"]) assert.throws(() => parseExactly(text), SyntaxError, text);
});
