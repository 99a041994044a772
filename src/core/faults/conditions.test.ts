import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_CONDITIONS, type LinkConditions, linkTable } from "./conditions.ts";

test("what is left out stays as it was", () => {
  assert.deepEqual(linkTable({}), DEFAULT_CONDITIONS);
  const lossy = linkTable({ loss: 0.5, mtuBytes: 9000 });
  assert.equal(lossy.lossOutside, 2 ** 31);
  assert.deepEqual(linkTable({ loss: 0, mtuBytes: 1500 }, lossy), DEFAULT_CONDITIONS);
});

test("conditions that make no sense are refused", () => {
  const wrong: LinkConditions[] = [
    { loss: 1.1 },
    { loss: { enter: -1, leave: 1 } },
    { duplication: Number.NaN },
    { reordering: { chance: 2 } },
    { mtuBytes: 100 },
    { bandwidthBitsPerSecond: 0 },
    { queueBytes: -1 },
    { latency: -1 },
  ];
  for (const conditions of wrong) assert.throws(() => linkTable(conditions), { code: "OPTION_INVALID", op: "link" });
  assert.equal(linkTable({ bandwidthBitsPerSecond: Number.POSITIVE_INFINITY }).bitsPerSecond, 0);
});
