import assert from "node:assert/strict";
import { test } from "node:test";
import { cutText } from "./cut-text.ts";

test("a text is cut, and has no half of a surrogate pair", () => {
  assert.equal(cutText("hola", 10), "hola");
  assert.equal(cutText("hola", 3), "hol");
  assert.equal(cutText("🦙🦙", 4), "🦙🦙");
  assert.equal(cutText("🦙🦙", 3), "🦙\ufffd");
  assert.equal(cutText("a\udc00b", 10), "a\ufffdb");
});
