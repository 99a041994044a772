import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../testing/manual-clock.ts";
import { PeerProblems } from "./peer-problems.ts";

function problems(): { clock: ManualClock; numbers: string[]; all: PeerProblems } {
  const clock = new ManualClock({ defer: setImmediate });
  const numbers: string[] = [];
  return { clock, numbers, all: new PeerProblems(clock, ({ detail }) => void numbers.push(detail)) };
}

test("of many in a second the first hundred are told one by one, the others as a number", async () => {
  const { clock, numbers, all } = problems();
  const told = Array.from({ length: 250 }, () => all.admit()).filter((one) => one);
  assert.equal(told.length, 100);
  all.count();
  assert.deepEqual(numbers, []);
  await clock.advance(1000);
  assert.equal(numbers.length, 1);
  assert.match(String(numbers), /^151 more of the same kind/);
  assert.ok(all.admit());
  assert.equal(clock.pending, 1);
  await clock.advance(1000);
  assert.equal(numbers.length, 1, "there was no more than the one");
  assert.equal(clock.pending, 0, "no timer without a problem");
});

test("at the end the number of now is told, and no timer is left", () => {
  const { clock, numbers, all } = problems();
  all.close();
  all.admit();
  all.count();
  all.close();
  assert.match(String(numbers), /^1 more of the same kind/);
  assert.equal(clock.pending, 0);
});
