import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowRow } from "../../proxy/page/wire.ts";
import { FlowStore } from "./flow-store.ts";

const row = (id: number): FlowRow => ({ id, atMs: id, kind: "open" });

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

test("what silence holds back leaves when it is released, and what is late in any case is late", () => {
  const flow = new FlowStore();
  const chunk = (id: number, leavesAtMs: number, isHeld: boolean): FlowRow => {
    return { id, atMs: 10, kind: "chunk", way: "toServer", isHeld, pieces: [{ bytes: 1, leavesAtMs }] };
  };
  const add = (...rows: FlowRow[]): void => flow.add({ type: "flow", rows, missed: 0 });
  const seen = (): readonly unknown[] =>
    flow.rows.map(({ heldUntilMs, pieces }) => [heldUntilMs, pieces?.[0]?.leavesAtMs]);
  add(chunk(1, 10, true), chunk(2, 900, true), chunk(3, 900, false));
  add({ id: 4, atMs: 50, kind: "release", way: "toClient", isAll: true });
  assert.deepEqual(seen(), [
    [undefined, 10],
    [undefined, 900],
    [undefined, 900],
  ]);
  add({ id: 5, atMs: 60, kind: "release", way: "toServer", isAll: false });
  assert.deepEqual(seen(), [
    [60, 60],
    [60, 900],
    [undefined, 900],
  ]);
  // Told again, it says nothing about what came behind it.
  add(chunk(6, 70, true), { id: 5, atMs: 60, kind: "release", way: "toServer", isAll: false });
  add({ id: 7, atMs: 80, kind: "release", way: "toServer", isAll: true });
  assert.deepEqual(seen(), [
    [60, 60],
    [60, 80],
    [undefined, 80],
    [80, 80],
  ]);
  add(chunk(8, 85, true), chunk(9, 200, false), { id: 10, atMs: 90, kind: "close" });
  assert.deepEqual(seen().slice(-3), [
    [90, undefined],
    [undefined, undefined],
    [undefined, undefined],
  ]);
});

test("what was not heard is a gap, and what the server has kept meanwhile is none", () => {
  const flow = new FlowStore();
  const tell = (sinceMs: number, ...rows: FlowRow[]): void => flow.add({ type: "flow", rows, missed: 0, sinceMs });
  tell(900, row(1));
  flow.heardAt(1000);
  assert.deepEqual(flow.gaps, [], "nothing was wanted before");
  // Another page looked all the time.
  tell(900, row(1), row(2));
  flow.heardAt(1500);
  assert.deepEqual(flow.gaps, []);
  tell(2000, row(3));
  assert.deepEqual(flow.gaps, [{ fromMs: 1500, toMs: 2000 }]);
  for (let times = 1; times <= 100; times += 1) {
    flow.heardAt(times * 10_000);
    tell(times * 10_000 + 5000);
  }
  assert.equal(flow.gaps.length, 16);
  flow.clear();
  assert.deepEqual(flow.gaps, []);
  tell(9_999_999);
  assert.deepEqual(flow.gaps, [], "another connection is selected");
});
