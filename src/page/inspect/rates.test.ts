import assert from "node:assert/strict";
import { test } from "node:test";
import { Rates } from "./rates.ts";

const count = ({ bytes }: { readonly bytes?: number }): number | undefined => bytes;

test("a rate is the growth between two answers, in a second", () => {
  const rates = new Rates<{ readonly id: number; readonly bytes?: number }>();
  const row = { id: 1, bytes: 300 };
  rates.add([{ id: 1, bytes: 100 }], 1000);
  assert.equal(rates.of({ id: 1, bytes: 100 }, count), undefined);
  rates.add([row, { id: 2, bytes: 5 }], 3000);
  assert.equal(rates.of(row, count), 100);
  rates.add([row], 3000);
  assert.equal(rates.of(row, count), 100, "the same answer is no other time");
  assert.equal(rates.of({ id: 2, bytes: 5 }, count), undefined, "it was not there before");
  assert.equal(rates.of({ id: 1 }, count), undefined, "it has no such counter");
  rates.add([{ id: 1, bytes: 10 }], 4000);
  assert.equal(rates.of({ id: 1, bytes: 10 }, count), undefined, "it counts from the beginning again");
});
