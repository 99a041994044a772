import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameBatch } from "./frame-batch.ts";

test("rows are taken once, in their order", () => {
  const batch = new FrameBatch<number>();
  for (const row of [1, 2, 3]) batch.add(row);
  assert.deepEqual(batch.take(), { rows: [1, 2, 3], dropped: 0 });
  assert.deepEqual(batch.take(), { rows: [], dropped: 0 });
});

test("a page that takes nothing keeps the last rows, and knows how many are gone", () => {
  const batch = new FrameBatch<number>();
  for (let row = 0; row < 100_000; row += 1) batch.add(row);
  const { rows, dropped } = batch.take();
  assert.ok(rows.length < 2048, `${rows.length}`);
  assert.equal(rows.length + dropped, 100_000);
  assert.equal(rows.at(-1), 99_999);
  assert.equal(rows[0], dropped);
});
