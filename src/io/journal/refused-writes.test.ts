import assert from "node:assert/strict";
import { test } from "node:test";
import { unavailable } from "./failure.ts";
import { RefusedWrites } from "./refused-writes.ts";

test("what is refused for ten seconds is told with the words of the store, and again after a minute", () => {
  let nowMs = 0;
  const told: string[] = [];
  const writes = new RefusedWrites({ now: () => nowMs }, ({ detail }) => told.push(`${nowMs}: ${detail}`));
  for (; nowMs <= 80_000; nowMs += 500) {
    writes.again("commit", "the record of session ana", 0, unavailable("commit", undefined, new Error("too long")));
    writes.again("commit", "the record of session eva", nowMs - 9_999, new Error("a moment"));
  }
  const what = "the store has not taken the record of session ana for";
  assert.deepEqual(told, [
    `10000: ${what} 10 s, and it is tried again (too long)`,
    `70000: ${what} 70 s, and it is tried again (too long)`,
  ]);
});
