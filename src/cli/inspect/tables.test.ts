import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesText, COLUMNS, factsOf, tableOf, timeText } from "./tables.ts";

test("figures are written in the unit that a person would use", () => {
  assert.deepEqual([0, 1023, 1024, 3326, 5_242_880, 2 ** 40].map(bytesText), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "3.2 KiB",
    "5.0 MiB",
    "1024.0 GiB",
  ]);
  assert.deepEqual([0.04, 12.34, 999, 1000, 61_000, 7_200_000].map(timeText), [
    "0 ms",
    "12.3 ms",
    "999 ms",
    "1.0 s",
    "1 min",
    "2.0 h",
  ]);
  assert.deepEqual([bytesText(undefined), timeText(undefined)], ["-", "-"]);
});

test("a table has columns of one width, and what is not known is a dash", () => {
  const lines = tableOf(COLUMNS.calls, [
    { id: 1, from: "here", method: "add", ageMs: 5, remainingMs: 29_995 },
    { id: 22, from: "peer" },
  ]);
  assert.deepEqual(lines, [
    "ID  FROM  METHOD   AGE    LEFT",
    "1   here  add     5 ms  30.0 s",
    "22  peer  -          -       -",
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
    "heldBytes  2.0 KiB",
    "ageMs      1.0 s",
  ]);
});
