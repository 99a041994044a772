import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "./random.ts";

function draws(seed: number, count: number): readonly number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => random.below(1000));
}

test("the same seed gives the same numbers, another one others", () => {
  assert.deepEqual(draws(7, 100), draws(7, 100));
  assert.notDeepEqual(draws(7, 100), draws(8, 100));
});

test("every seed works: numbers stay in their bounds and change", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_294_967_295 }), (seed) => {
      const numbers = draws(seed, 50);
      assert.ok(numbers.every((number) => Number.isInteger(number) && number >= 0 && number < 1000));
      assert.ok(new Set(numbers).size > 20);
    }),
  );
});

test("numbers are spread evenly", () => {
  const random = new SeededRandom(1);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let draw = 0; draw < 100_000; draw += 1) counts[random.below(10)]! += 1;
  assert.ok(counts.every((drawn) => drawn > 9_500 && drawn < 10_500));
});

test("between: both bounds are reached", () => {
  const random = new SeededRandom(3);
  const drawn = new Set(Array.from({ length: 100 }, () => random.between(2, 4)));
  assert.deepEqual(drawn, new Set([2, 3, 4]));
});
