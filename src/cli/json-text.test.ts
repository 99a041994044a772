import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonText } from "./json-text.ts";

test("nothing in it is an order to a terminal, and it is still the same value", () => {
  const hostile = "\u001b[2J\u009b2J\u007f\u2028";
  const text = jsonText(hostile);
  assert.equal(text, '"\\u001b[2J\\u009b2J\\u007f\\u2028"');
  assert.equal(JSON.parse(text), hostile);
  assert.equal(jsonText(undefined), "null");
});

test("a value that is nested too deeply is a typed error", () => {
  const deep: unknown = JSON.parse("[".repeat(200_000) + "]".repeat(200_000));
  assert.throws(() => jsonText(deep), { name: "ProtocolError", code: "FRAME_INVALID", message: /nested too deeply/ });
});
