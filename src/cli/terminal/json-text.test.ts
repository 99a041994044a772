import assert from "node:assert/strict";
import { test } from "node:test";
import { InexactJson, jsonText, parseExactly, safeJson } from "./json-text.ts";

test("nothing in it is an order to a terminal, and it is still the same value", () => {
  const hostile = "\u001b[2J\u009b2J\u007f\u2028";
  const text = jsonText(hostile);
  assert.equal(text, '"\\u001b[2J\\u009b2J\\u007f\\u2028"');
  assert.equal(JSON.parse(text), hostile);
  assert.equal(jsonText(undefined), "null");
});

test("a value that is nested too deeply is a typed error", () => {
  const deep: unknown = JSON.parse("[".repeat(200_000) + "]".repeat(200_000));
  assert.throws(() => jsonText(deep), {
    name: "ProtocolError",
    code: "FRAME_INVALID",
    message: /nested too deeply to be shown/,
  });
});

test("what JSON does not have is shown as the nearest text, or not at all", () => {
  const value = {
    at: new Date(0),
    large: 2n ** 60n,
    data: Buffer.from("hola"),
    gone: undefined,
    list: [-0, undefined],
  };
  assert.equal(
    jsonText(value),
    '{"at":"1970-01-01T00:00:00.000Z","large":"1152921504606846976","data":"aG9sYQ==","list":[-0,null]}',
  );
  assert.equal(jsonText(Buffer.from("hola"), "hex"), '"686f6c61"');
  for (const [odd, problem] of [
    [{ a: [Number.NaN] }, /JSON has no NaN/],
    [Number.POSITIVE_INFINITY, /JSON has no Infinity/],
    [new Map([["a", 1]]), /JSON has no Map/],
    [[new Set()], /JSON has no Set/],
    [{ f: () => 1 }, /JSON has no function/],
    [new Date(Number.NaN), /a date is not valid/],
  ] as const) {
    assert.throws(() => jsonText(odd), { code: "FRAME_INVALID", message: problem });
  }
});

test("the text of a peer stays as it came, without orders to a terminal", () => {
  const text = '{ "n": 1.0,\t"k":1,"k":9007199254740993}';
  assert.equal(safeJson(text), text);
  assert.equal(safeJson('[1,\r"\u009b2J\u2028"]'), '[1, "\\u009b2J\\u2028"]');
});

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
