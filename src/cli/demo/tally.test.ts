import assert from "node:assert/strict";
import { test } from "node:test";
import { Tally } from "./tally.ts";

function reportOf(total: number, arrivals: readonly string[]): ReturnType<Tally["report"]> {
  const tally = new Tally(total);
  for (const text of arrivals) tally.add(text);
  return tally.report();
}

test("a perfect series", () => {
  const report = reportOf(3, ["1", "2", "3"]);
  assert.deepEqual(report, { received: 3, distinct: 3, lost: 0, twice: 0, outOfOrder: 0, damaged: 0 });
});

test("lost, twice, out of order, damaged", () => {
  const report = reportOf(6, ["1", "3", "2", "2", "5", "3", "x", "", "7", "0", "1.5", "-1"]);
  assert.deepEqual(report, { received: 12, distinct: 4, lost: 2, twice: 2, outOfOrder: 1, damaged: 6 });
});
