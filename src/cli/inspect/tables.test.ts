import assert from "node:assert/strict";
import { test } from "node:test";
import { COLUMNS, factsOf, tableOf } from "./tables.ts";

test("a table has columns of one width, and what is not known is a dash", () => {
  const lines = tableOf(COLUMNS.calls, [
    { id: 1, from: "here", method: "add", ageMs: 5, remainingMs: 29_995 },
    { id: 22, from: "peer" },
  ]);
  assert.deepEqual(lines, [
    "ID  FROM  METHOD   AGE  LEFT",
    "1   here  add     5 ms  30 s",
    "22  peer  -          -     -",
  ]);
});

test("what a peer has written cannot move the cursor", () => {
  const [, line = ""] = tableOf(COLUMNS.sessions, [{ id: 1, principal: "ana\u001b[2Jx\nroot" }]);
  assert.ok(!/[\u0000-\u001f]/.test(line), JSON.stringify(line));
  assert.ok(!factsOf({ principal: "a\rb" }).join("").includes("\r"));
});

test("the facts of one object are those of the objects in it too; lists are left out", () => {
  assert.deepEqual(factsOf({ id: 1, calls: { own: 2, list: [] }, heldBytes: 2048, ageMs: 1000 }), [
    "id         1",
    "calls.own  2",
    "heldBytes  2 kB",
    "ageMs      1 s",
  ]);
});
