import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { ManualClock } from "../../testing/manual-clock.ts";
import { callProgram, PeerProblems, reportProblem } from "./peer-problems.ts";

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
  assert.match(String(numbers), /^151 more problems of peers/);
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
  assert.match(String(numbers), /^1 more problems of peers/);
  assert.equal(clock.pending, 0);
});

const place = { kind: "stream", local: "tcp://127.0.0.1:1", remote: "tcp://127.0.0.1:2" } as const;

test("an error is published once, and what onError throws or rejects with is published too", async () => {
  const published: unknown[] = [];
  const listener = (message: unknown): void => void published.push(message);
  subscribe("zocalo:error", listener);
  const told: string[] = [];
  reportProblem("first", place, () => told.push("first"));
  reportProblem("second", place, () => {
    throw new Error("thrown");
  });
  reportProblem("third", place, () => Promise.reject(new Error("rejected")));
  await new Promise((resolve) => setImmediate(resolve));
  unsubscribe("zocalo:error", listener);
  assert.deepEqual(told, ["first"]);
  assert.deepEqual(
    published,
    ["first", "second", "third", new Error("thrown"), new Error("rejected")].map((error) => ({ ...place, error })),
  );
});

test("a function of the program is called at once, and its failure is told", async () => {
  const failures: unknown[] = [];
  let called = false;
  callProgram(
    () => (called = true),
    (error) => failures.push(error),
  );
  assert.ok(called);
  callProgram(
    () => Promise.reject(new Error("x")),
    (error) => failures.push(error),
  );
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(failures, [new Error("x")]);
});
