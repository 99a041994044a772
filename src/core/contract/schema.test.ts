import assert from "node:assert/strict";
import { test } from "node:test";
import { ZocaloError } from "../errors.ts";
import { bytes, isBytes, isSchema, jsonSchemaOf, type Schema, validate } from "./schema.ts";

const schema = (check: (value: unknown) => unknown): Schema => ({
  "~standard": { version: 1, vendor: "test", validate: check },
});

test("a valid value gives the schema's output", () => {
  assert.deepEqual(
    validate(
      schema((value) => ({ value: Number(value) })),
      "7",
    ),
    { valid: true, value: 7 },
  );
});

test("issues have a message and a path of texts", () => {
  const issues = [{ message: "too short", path: ["a", { key: 0 }, Symbol.iterator] }, { message: "wrong" }];
  assert.deepEqual(
    validate(
      schema(() => ({ issues })),
      {},
    ),
    {
      valid: false,
      issues: [
        { message: "too short", path: ["a", "0", "Symbol(Symbol.iterator)"] },
        { message: "wrong", path: [] },
      ],
    },
  );
});

test("a long list of issues is cut", () => {
  const issues = Array.from({ length: 1000 }, () => ({ message: "no" }));
  const result = validate(
    schema(() => ({ issues })),
    {},
  );
  assert.equal(result.valid ? 0 : result.issues.length, 8);
});

// The rules are those of docs/semantics.md.
test("rule D11: a validator that answers later is refused", () => {
  const later = schema(() => Promise.resolve({ value: 1 }));
  assert.throws(
    () => validate(later, 1),
    (error) => error instanceof ZocaloError && error.code === "UNSUPPORTED",
  );
});

test("a validator that answers later may fail: nobody is told", async () => {
  let failed = (_reason: unknown): void => undefined;
  const answer = new Promise((_resolve, reject) => {
    failed = reject;
  });
  assert.throws(() =>
    validate(
      schema(() => answer),
      1,
    ),
  );
  // Unhandled, this would fail the test.
  failed(new Error("the check has failed"));
  await new Promise((resolve) => setImmediate(resolve));
});

test("bytes are a Uint8Array and nothing else", () => {
  assert.equal(validate(bytes, Buffer.from("a")).valid, true);
  assert.equal(validate(bytes, "a").valid, false);
});

test("bytes of another copy of the package are bytes too", async () => {
  const another = new URL("./schema.js?another", import.meta.url).href;
  const copy = (await import(another)) as { readonly bytes: Schema };
  assert.notEqual(copy.bytes, bytes);
  assert.deepEqual([isBytes(copy.bytes), isBytes(bytes)], [true, true]);
  const callable = Object.assign(
    () => true,
    schema(() => ({ value: 1 })),
  );
  assert.deepEqual(
    [isBytes(undefined), isBytes(schema(() => ({ value: 1 }))), isBytes(callable)],
    [false, false, false],
  );
});

test("what is not a schema is told apart", () => {
  for (const value of [undefined, null, 1, {}, { "~standard": null }, { "~standard": { version: 2 } }]) {
    assert.equal(isSchema(value), false);
  }
  assert.equal(isSchema(bytes), true);
});

test("a schema that JSON Schema cannot express has none", () => {
  const input = (): never => {
    throw new Error("no dates");
  };
  const properties = { ...schema(() => ({ value: 1 }))["~standard"], jsonSchema: { input } };
  assert.equal(jsonSchemaOf({ "~standard": properties }), undefined);
  assert.equal(jsonSchemaOf(bytes), undefined);
});
