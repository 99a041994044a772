import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EXPONENTIAL, HEAVY_TAIL, NORMAL } from "./latency.ts";
import { probabilityThreshold, RandomStream } from "./random-stream.ts";

const take = (stream: RandomStream, count: number): number[] => Array.from({ length: count }, () => stream.uint32());

test("seed and label decide the numbers, on every engine", () => {
  assert.deepEqual(take(new RandomStream(1, "a"), 3), take(new RandomStream(1, "a"), 3));
  assert.notDeepEqual(take(new RandomStream(1, "a"), 3), take(new RandomStream(1, "b"), 3));
  assert.notDeepEqual(take(new RandomStream(1, "a"), 3), take(new RandomStream(2, "a"), 3));
  assert.notDeepEqual(take(new RandomStream(1, "a"), 3), take(new RandomStream(1 + 2 ** 32, "a"), 3));
  // Written down, so that a change of the generator does not go unnoticed: it changes what every seed means.
  assert.deepEqual(take(new RandomStream(42, "link/a>b/loss"), 3), PINNED);
});

const PINNED: number[] = [2_290_084_458, 1_744_698_853, 2_681_406_745];

test("below stays below, and every value comes", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      fc.integer({ min: 1, max: 2 ** 32 }),
      (seed, limit) => {
        const value = new RandomStream(seed, "x").below(limit);
        return Number.isInteger(value) && value >= 0 && value < limit;
      },
    ),
  );
  const stream = new RandomStream(7, "dice");
  const seen = new Set(Array.from({ length: 200 }, () => stream.below(6)));
  assert.equal(seen.size, 6);
});

test("chances come about as often as they should; never and always are exact", () => {
  const stream = new RandomStream(3, "coin");
  let hits = 0;
  for (let count = 0; count < 10_000; count += 1) if (stream.chance(probabilityThreshold(0.25))) hits += 1;
  assert.ok(hits > 2300 && hits < 2700, String(hits));
  assert.equal(stream.chance(probabilityThreshold(0)), false);
  for (let count = 0; count < 1000; count += 1) assert.equal(stream.chance(probabilityThreshold(1)), true);
});

test("fractions and bytes", () => {
  const stream = new RandomStream(3, "fraction");
  for (let count = 0; count < 1000; count += 1) {
    const value = stream.fraction();
    assert.ok(value >= 0 && value < 1);
  }
  assert.ok(new Set(stream.bytes(1000)).size > 200);
});

test("the tables of quantiles rise", () => {
  for (const table of [NORMAL, EXPONENTIAL, HEAVY_TAIL]) {
    assert.equal(table.length, 65);
    for (let index = 1; index < table.length; index += 1) assert.ok((table[index] ?? 0) > (table[index - 1] ?? 0));
  }
});
