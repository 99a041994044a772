/** What is held is charged with the memory that it pins: docs/decisions/0023-what-is-held.md. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { queues } from "./fill-queues.ts";

const program = fileURLToPath(new URL("./fill-queues.js", import.meta.url));

interface Measured {
  readonly count: number;
  /** What the queue holds when it was filled, and when the heap is measured. */
  readonly filledBytes: number;
  readonly heldBytes: number;
  readonly grownBytes: number;
}

for (const name of Object.keys(queues)) {
  test(`${name}: what the queue says that it holds is what the heap has grown by, within a factor of two`, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", program, name]);
    const { count, filledBytes, heldBytes, grownBytes } = JSON.parse(stdout) as Measured;
    const ratio = heldBytes / grownBytes;
    const each = `${count} of them: ${heldBytes / count} bytes are charged for each, ${grownBytes / count} are pinned`;
    assert.ok(heldBytes >= filledBytes * 0.9, `of ${filledBytes} bytes that were put in ${heldBytes} are there`);
    assert.ok(ratio > 0.5 && ratio < 2, each);
  });
}
