import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesText, timeText } from "./figures.ts";

test("figures have units that fit", () => {
  assert.deepEqual(
    [0, 999, 1000, 12_345, 999_999_999, 5e12].map((bytes) => bytesText(bytes, "en")),
    ["0 B", "999 B", "1 kB", "12.3 kB", "1,000 MB", "5 TB"],
  );
  assert.deepEqual(
    [0, 0.044, 9.5, 12.4, 999, 1500, 61_000, 7_200_000].map((ms) => timeText(ms, "es")),
    ["0 ms", "0,04 ms", "9,5 ms", "12 ms", "999 ms", "1,5 s", "1 min", "2 h"],
  );
});
