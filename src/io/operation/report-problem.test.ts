import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { callProgram, reportProblem } from "./report-problem.ts";

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
