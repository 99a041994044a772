import assert from "node:assert/strict";
import { test } from "node:test";
import type { Departed } from "../departure.ts";
import { Farewells } from "./farewells.ts";
import type { SessionRecord } from "./session-store.ts";

const recordOf = (id: string): SessionRecord => {
  return { id, principal: id, epoch: 1, attempt: 0, tokenHash: "#", previousTokenHash: undefined };
};
const saying = (message: string): Departed => {
  return { reason: { code: "", message }, retryAfterMs: undefined, accepted: 3 };
};

test("a farewell is there until the time is up in which its client could come back", () => {
  const farewells = new Farewells(1000);
  farewells.add(recordOf("a"), saying("bye"), 0);
  farewells.add(recordOf("b"), saying("bye"), 500);
  assert.equal(farewells.get("a", 999)?.departed.reason.message, "bye");
  assert.equal(farewells.get("a", 1000), undefined);
  assert.equal(farewells.get("nobody", 0), undefined);
  // The next one that comes takes those along whose time is up.
  farewells.add(recordOf("c"), saying("bye"), 1500);
  assert.equal(farewells.get("b", 0), undefined);
});

test("the oldest farewells are forgotten when there are too many, or when they hold too much", () => {
  const farewells = new Farewells(Infinity);
  for (let index = 0; index < 20_000; index += 1) farewells.add(recordOf(`s${index}`), saying("bye"), 0);
  assert.equal(farewells.get("s9999", 0), undefined);
  assert.ok(farewells.get("s10000", 0) !== undefined);
  for (let index = 0; index < 10_000; index += 1) farewells.add(recordOf(`t${index}`), saying("x".repeat(1024)), 0);
  assert.ok(farewells.bytes <= 8_388_608 && farewells.bytes > 8_000_000, String(farewells.bytes));
  assert.equal(farewells.get("t0", 0), undefined);
  assert.ok(farewells.get("t9999", 0) !== undefined);
});

test("a session that is closed once more holds no more than once", () => {
  const farewells = new Farewells(1000);
  farewells.add(recordOf("a"), saying("bye"), 0);
  const { bytes } = farewells;
  farewells.add(recordOf("a"), saying("bye"), 1);
  assert.equal(farewells.bytes, bytes);
});
