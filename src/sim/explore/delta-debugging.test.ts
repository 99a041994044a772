import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { minimize } from "./delta-debugging.ts";

test("what is left is exactly what was needed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 40 }), fc.array(fc.nat(39), { maxLength: 5 }), async (length, picks) => {
      const items = Array.from({ length }, (_value, index) => index);
      const needed = [...new Set(picks)].filter((item) => item < length).sort((a, b) => a - b);
      const rest = await minimize(items, async (part) => needed.every((item) => part.includes(item)));
      assert.deepEqual(rest, needed);
    }),
  );
});

test("nothing is asked twice as often as it must be: one of a thousand is found in a few steps", async () => {
  let asked = 0;
  const items = Array.from({ length: 1000 }, (_value, index) => index);
  const fails = async (part: readonly number[]): Promise<boolean> => {
    asked += 1;
    return part.includes(613);
  };
  assert.deepEqual(await minimize(items, fails), [613]);
  assert.ok(asked < 40, `${asked}`);
});
