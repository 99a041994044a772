import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowRow } from "../../proxy/page/wire.ts";
import { FlowStore } from "./flow-store.ts";

const row = (id: number): FlowRow => ({ id, atMs: id, kind: "close" });

test("rows that are told again after a lost link are there once", () => {
  const flow = new FlowStore();
  flow.add({ type: "flow", rows: [row(1), row(2)], missed: 0 });
  flow.add({ type: "flow", rows: [row(1), row(2), row(3)], missed: 4 });
  assert.deepEqual(
    flow.rows.map(({ id }) => id),
    [1, 2, 3],
  );
  assert.equal(flow.missed, 4);
  const { version } = flow;
  flow.clear();
  assert.deepEqual([flow.rows.length, flow.missed, flow.version > version], [0, 0, true]);
});

test("the last rows are kept, in order", () => {
  const flow = new FlowStore();
  for (let id = 1; id <= 50_000; id += 100) {
    flow.add({ type: "flow", rows: Array.from({ length: 100 }, (_, index) => row(id + index)), missed: 0 });
  }
  assert.ok(flow.rows.length >= 4096 && flow.rows.length < 8192 + 100);
  assert.equal(flow.rows.at(-1)?.id, 50_000);
  assert.ok(flow.rows.every(({ id }, index) => index === 0 || id === (flow.rows[index - 1]?.id ?? 0) + 1));
});
