import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryOf } from "./held-bytes.ts";

test("texts, bytes and what is in objects and arrays count", () => {
  assert.equal(memoryOf("x".repeat(1000)), 1000);
  assert.ok(memoryOf(new Uint8Array(1000)) > 1000);
  assert.ok(memoryOf({ text: "x".repeat(1000), list: ["y".repeat(1000)] }) > 2000);
  assert.ok(memoryOf([{}, {}, {}]) > 4 * memoryOf({}) - 1);
  for (const value of [undefined, null, 5, true, 5n]) assert.equal(memoryOf(value), 0);
});

test("nothing of the program runs, and nothing is looked at for ever", () => {
  const fail = (): never => {
    throw new Error("it ran");
  };
  const trap = {
    get value(): never {
      return fail();
    },
  };
  assert.equal(memoryOf(trap), memoryOf({ value: 1 }));
  const ring: unknown[] = [];
  for (let count = 0; count < 100; count += 1) ring.push(ring);
  assert.ok(memoryOf(ring) < 100_000_000);
  assert.ok(memoryOf(Array.from({ length: 1_000_000 }, () => 0)) >= 8_000_000);
  assert.ok(memoryOf(Object.create(trap) as object) > 0);
});
