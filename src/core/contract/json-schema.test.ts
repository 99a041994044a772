import assert from "node:assert/strict";
import { test } from "node:test";
import { DIFF_WORDS } from "./diff-words.ts";
import { whyNotAccepted } from "./json-schema.ts";

const accepts = (writer: unknown, reader: unknown): boolean => whyNotAccepted(writer, reader).length === 0;
const why = (writer: unknown, reader: unknown): string => whyNotAccepted(writer, reader)[0]?.(DIFF_WORDS.en) ?? "";

test("everything accepts itself, and the empty schema accepts everything", () => {
  for (const schema of [{ type: "string" }, { anyOf: [{ type: "string" }, { type: "null" }] }, { not: {} }, true]) {
    assert.equal(accepts(schema, schema), true);
    assert.equal(accepts(schema, {}), true);
    assert.equal(accepts(schema, true), true);
  }
});

test("types", () => {
  assert.equal(accepts({ type: "integer" }, { type: "number" }), true);
  assert.equal(accepts({ type: "number" }, { type: "integer" }), false);
  assert.equal(accepts({ type: "string" }, { type: ["string", "null"] }), true);
  assert.equal(accepts({}, { type: "string" }), false);
});

test("values", () => {
  assert.equal(accepts({ const: 1 }, { enum: [1, 2] }), true);
  assert.equal(accepts({ enum: [1, 3] }, { enum: [1, 2] }), false);
  assert.equal(accepts({ type: "string" }, { type: "string", enum: ["a"] }), false);
});

test("bounds", () => {
  assert.equal(accepts({ type: "string", maxLength: 3 }, { type: "string", maxLength: 5 }), true);
  assert.equal(accepts({ type: "string", maxLength: 5 }, { type: "string", maxLength: 3 }), false);
  assert.equal(accepts({ type: "number" }, { type: "number", minimum: 0 }), false);
});

test("properties", () => {
  const closed = { type: "object", properties: { a: { type: "string" } }, additionalProperties: false };
  assert.equal(accepts({ type: "object", properties: { a: { type: "string" } } }, closed), true);
  assert.equal(accepts({ type: "object", properties: { b: {} } }, closed), false);
  assert.equal(accepts({ type: "object", properties: { a: { type: "null" } } }, closed), false);
});

test("items and alternatives", () => {
  assert.equal(
    accepts({ type: "array", items: { type: "string" } }, { type: "array", items: { type: "number" } }),
    false,
  );
  assert.equal(accepts({ anyOf: [{ type: "string" }] }, { anyOf: [{ type: "null" }, { type: "string" }] }), true);
  assert.equal(accepts({ anyOf: [{ type: "string" }, { type: "number" }] }, { type: "string" }), false);
});

test("what cannot be told is a reason", () => {
  assert.match(why({ type: "string" }, { type: "string", pattern: "^a" }), /because of "pattern"/);
  const nested = (innermost: string): unknown => {
    let schema: unknown = { type: innermost };
    for (let level = 0; level < 100; level += 1) schema = { type: "array", items: schema };
    return schema;
  };
  assert.match(why(nested("string"), nested("null")), /cannot be compared/);
});
