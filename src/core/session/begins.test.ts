import assert from "node:assert/strict";
import { test } from "node:test";
import { Begins } from "./begins.ts";

const all = (): boolean => true;

test("most handlers begin at once; those that must not run again, and suspects, when it is kept; what had begun is known", () => {
  const begins = new Begins({ begun: [4, 6], again: 9, suspects: 7 });
  const needs = [4, 5, 6, 7, 8, 9, 10].map((number) => begins.of(number, false));
  assert.deepEqual(needs, ["begun", "marked", "begun", "marked", "free", "free", "free"]);
  assert.deepEqual([begins.of(10, true), begins.of(6, true)], ["marked", "begun"]);
  assert.deepEqual(
    [1, 10].map((number) => new Begins().of(number, false)),
    ["free", "free"],
  );
});

test("what has begun is kept until it is done, and what is kept of a server that leaves in order holds nothing against its messages", () => {
  const begins = new Begins({ begun: [4, 6], again: 9, suspects: 7 });
  begins.mark(5, false);
  begins.mark(6, false);
  begins.mark(12, true);
  assert.equal(begins.hasSuspect, true);
  assert.deepEqual(begins.snapshot(all), { begun: [4, 5, 6, 12], again: 9, suspects: 7 });
  assert.deepEqual(
    begins.snapshot((number) => number !== 5),
    { begun: [4, 6, 12], again: 9, suspects: 7 },
  );
  begins.leave();
  assert.equal(begins.hasSuspect, false);
  assert.deepEqual(begins.snapshot(all), { begun: [4, 12], again: 0, suspects: 7 });
});
