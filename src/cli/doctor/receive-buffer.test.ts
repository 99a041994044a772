import assert from "node:assert/strict";
import { test } from "node:test";
import { receiveBuffer } from "./receive-buffer.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

for (const [what, reported, most, platform, givenBytes, isCapped] of [
  ["what Linux gives as it comes", 416 * KIB, 208 * KIB, "linux", 208 * KIB, true],
  ["the same where the limit cannot be read", 416 * KIB, undefined, "linux", 208 * KIB, true],
  ["a limit just below", 2 * (4 * MIB - 1), 4 * MIB - 1, "linux", 4 * MIB - 1, true],
  ["a limit that suffices", 8 * MIB, 4 * MIB, "linux", 4 * MIB, false],
  ["a larger limit, and a default that servers leave", 5 * MIB, 16 * MIB, "linux", 2.5 * MIB, false],
  ["another system, which reports what it gave", 4 * MIB, undefined, "darwin", 4 * MIB, false],
  ["another system that gave less", 1 * MIB, undefined, "darwin", 1 * MIB, true],
] as const) {
  test(`the receive buffer of a server: ${what}`, () => {
    assert.deepEqual(receiveBuffer(reported, most, platform), { givenBytes, isCapped });
  });
}
