import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, typeOnly } from "../../protocol.ts";
import { jsonLine, valueFrom } from "./json-values.ts";

test("a value is one line of JSON", () => {
  assert.equal(jsonLine({ text: "two\nlines" }), '{"text":"two\\nlines"}\n');
  assert.equal(jsonLine(undefined), "null\n");
});

test("what JSON does not have: bytes are base64, dates and large numbers are text", () => {
  const value = { data: Buffer.from("hola"), list: [new Uint8Array([1])], at: new Date(0), large: 2n ** 60n };
  const parsed: unknown = JSON.parse(jsonLine(value));
  const at = "1970-01-01T00:00:00.000Z";
  assert.deepEqual(parsed, { data: "aG9sYQ==", list: ["AQ=="], at, large: "1152921504606846976" });
  assert.equal(jsonLine(Buffer.from("hola").subarray(1, 2)), '"bw=="\n');
});

test("a question is JSON; of bytes it is base64", () => {
  const anything = typeOnly<unknown>();
  assert.deepEqual(valueFrom('{"room":"plaza"}', anything, "the call join"), { room: "plaza" });
  assert.equal(valueFrom(undefined, undefined, "the call now"), undefined);
  assert.deepEqual(valueFrom('"aG9sYQ=="', bytes, "the event data"), Buffer.from("hola"));
  assert.throws(
    () => valueFrom("[9007199254740993]", anything, "the call join"),
    /the call join: the number .* would become/,
  );
  assert.throws(
    () => valueFrom('{"k":1,"k":2}', anything, "the call join"),
    /the call join: there are two members "k"/,
  );
  assert.throws(() => valueFrom("{room}", anything, "the call join"), /the call join needs JSON, .* got "\{room\}"/);
  for (const wrong of ['"hola!"', '"aG9sYQ"', "3", "null"]) {
    assert.throws(() => valueFrom(wrong, bytes, "the event data"), /carries bytes: give them as base64/, wrong);
  }
});
