import assert from "node:assert/strict";
import { test } from "node:test";
import { count, countUpTo, milliseconds, seed, units } from "./command.ts";

test("numbers are whole, in digits, and within what can be done", () => {
  const minutes = units(60_000);
  for (const [parse, text, value] of [
    [milliseconds, "0", 0],
    [milliseconds, "2147483647", 2_147_483_647],
    [count, "9007199254740991", Number.MAX_SAFE_INTEGER],
    [seed, "0", 0],
    [countUpTo(256), "256", 256],
    [minutes, "35791", 35_791],
  ] as const) {
    assert.equal(parse(text), value);
  }
  for (const [parse, texts] of [
    [milliseconds, ["2147483648", "-1", "1.5", "1e3", "", " 1", "0x10"]],
    [count, ["0", "9007199254740993", "99999999999999999999"]],
    [countUpTo(256), ["0", "257"]],
    [minutes, ["0", "35792"]],
  ] as const) {
    for (const text of texts)
      assert.throws(() => parse(text), { name: "InvalidArgumentError", message: /^Give a number/ }, text);
  }
});
