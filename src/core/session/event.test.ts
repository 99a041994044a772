import assert from "node:assert/strict";
import { test } from "node:test";
import { ToldEvents } from "./event.ts";

test("events come out in the order in which they were added, also while more are added", () => {
  const told = new ToldEvents();
  assert.equal(told.isEmpty, true);
  assert.equal(told.take(), undefined);
  const ids: number[] = [];
  for (let id = 0; id < 6; id += 1) {
    told.add({ type: "itemsEnded", id });
    if (id % 3 !== 0) continue;
    const event = told.take();
    if (event?.type === "itemsEnded") ids.push(event.id);
  }
  for (let event = told.take(); event !== undefined; event = told.take())
    if (event.type === "itemsEnded") ids.push(event.id);
  assert.deepEqual(ids, [0, 1, 2, 3, 4, 5]);
  assert.equal(told.isEmpty, true);
});
