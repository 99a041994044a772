import assert from "node:assert/strict";
import { test } from "node:test";
import { FlowTable } from "./flow-table.ts";

test("the flow that was not used for the longest time leaves for a new one", () => {
  const table = new FlowTable<number>(2, 1000);
  assert.equal(table.add("a", 1, 0), undefined);
  assert.equal(table.add("b", 2, 10), undefined);
  assert.equal(table.use("a", 20), 1);
  assert.equal(table.add("c", 3, 30), 2);
  assert.deepEqual(table.flows, [1, 3]);
  assert.equal(table.use("b", 40), undefined);
});

test("flows end when nobody has used them for the time", () => {
  const table = new FlowTable<number>(9, 1000);
  table.add("a", 1, 0);
  table.add("b", 2, 500);
  table.use("a", 600);
  assert.equal(table.nextExpiryMs, 1500);
  assert.deepEqual(table.expire(1499), []);
  assert.deepEqual(table.expire(1500), [2]);
  assert.deepEqual(table.expire(1600), [1]);
  assert.equal(table.size, 0);
  assert.equal(table.nextExpiryMs, undefined);
});
