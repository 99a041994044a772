import assert from "node:assert/strict";
import { test } from "node:test";
import { languageOf } from "./page.ts";

test("a page speaks the language that the browser likes best, English where it has none", () => {
  for (const [accepted, language] of [
    ["", "en"],
    ["es", "es"],
    ["es-MX,es;q=0.9,en;q=0.8", "es"],
    ["en-GB,en;q=0.9,es;q=0.8", "en"],
    ["fr, es;q=0.5, en;q=0.4", "es"],
    ["en;q=0.3, ES-ar;q=0.7", "es"],
    ["es;q=0", "en"],
    ["de,fr", "en"],
    ["es;q=x", "en"],
  ] as const) {
    assert.equal(languageOf(accepted), language, accepted);
  }
});
