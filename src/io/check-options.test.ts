import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../core/errors.ts";
import { checkOptions, countFrom, FLAG, options, POSITIVE, TEXTS, wholeNumber } from "./check-options.ts";

const context = { op: "open", local: "tcp://127.0.0.1:7000" };

function detailOf(given: unknown, rules: Parameters<typeof checkOptions>[2]): string | undefined {
  try {
    checkOptions(context, given, rules);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof UsageError);
    assert.deepEqual([error.code, error.op, error.local], ["OPTION_INVALID", "open", context.local]);
    return error.detail;
  }
}

test("the error says which option, what it must be, and what came", () => {
  assert.equal(detailOf({ on: "yes" }, { on: FLAG }), 'on must be true or false, not "yes"');
  assert.equal(
    detailOf({ port: 70_000 }, { port: wholeNumber(0, 65_535) }),
    "port must be a whole number from 0 to 65535, not 70000",
  );
  assert.equal(detailOf({ names: [5] }, { names: TEXTS }), "names must be an array of strings, not an array");
  assert.equal(
    detailOf({ f: () => 1 }, { f: POSITIVE }),
    "f must be a positive number, or Infinity for no limit, not a function",
  );
  assert.equal(detailOf("x".repeat(100), {}), `options must be an object, not "${"x".repeat(40)}…"`);
});

test("an option of an option is named with its path, and may be required", () => {
  const rules = { retry: options({ timeoutMs: { ...POSITIVE, required: true } }) };
  assert.equal(detailOf({ retry: { timeoutMs: 5 } }, rules), undefined);
  assert.match(detailOf({ retry: {} }, rules) ?? "", /^retry\.timeoutMs must be .*, not undefined$/);
  assert.match(detailOf({ retry: [] }, rules) ?? "", /^retry must be an object, not an array$/);
  assert.equal(detailOf({}, rules), undefined);
});

test("what is missing is no error, and what has no rule is not looked at", () => {
  assert.equal(detailOf(undefined, { on: FLAG }), undefined);
  assert.equal(detailOf({ on: undefined, other: Symbol("x") }, { on: FLAG }), undefined);
  assert.equal(detailOf({ most: Number.POSITIVE_INFINITY }, { most: countFrom(1) }), undefined);
  assert.match(detailOf({ most: Symbol("x") }, { most: countFrom(1) }) ?? "", /not Symbol\(x\)$/);
});

test("an object that cannot be shown is no error of its own", () => {
  const hostile = { toString: (): string => assert.fail("it was asked") };
  assert.match(detailOf({ on: hostile }, { on: FLAG }) ?? "", /not an object$/);
});
