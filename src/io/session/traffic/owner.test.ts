import assert from "node:assert/strict";
import { test } from "node:test";
import { isNews } from "./owner.ts";

test("a change is told when it is large, and large beside what was told", () => {
  assert.deepEqual([isNews(1023, 0), isNews(1024, 0), isNews(0, 1024)], [false, true, true]);
  assert.deepEqual([isNews(112_000, 100_000), isNews(112_500, 100_000), isNews(87_500, 100_000)], [false, true, true]);
});
