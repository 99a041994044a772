import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesFrom, dumpOf } from "./bytes.ts";

test("a dump has each byte, and no character of its own meaning", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const lines = dumpOf(bytes);
  assert.equal(lines.length, 16);
  assert.deepEqual(lines[0], {
    at: "0000",
    hex: "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
    text: "·".repeat(16),
  });
  assert.deepEqual(lines[4], {
    at: "0040",
    hex: "40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f",
    text: "@ABCDEFGHIJKLMNO",
  });
  assert.deepEqual(
    lines.flatMap(({ hex }) => hex.split(" ").map((pair) => Number.parseInt(pair, 16))),
    [...bytes],
  );
  assert.deepEqual(dumpOf(new Uint8Array(0)), []);
});

test("bytes come back from base64", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => 255 - index);
  assert.deepEqual(bytesFrom(Buffer.from(bytes).toString("base64")), bytes);
});
