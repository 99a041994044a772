/** Whether a queue says what it holds: docs/decisions/0024-what-is-held.md. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const program = fileURLToPath(new URL("./fill-queues.js", import.meta.url));

interface Measured {
  readonly count: number;
  /** What the queue holds when it was filled, and when the heap is measured. */
  readonly filledBytes: number;
  readonly heldBytes: number;
  readonly grownBytes: number;
}

/** Each process waits more than it works. */
const CONCURRENTLY = { concurrency: 4 };

/** Fills each of these queues in a process of its own. */
export function testQueues(names: readonly string[]): void {
  describe(
    "what a queue says that it holds is what the heap has grown by, within a factor of two",
    CONCURRENTLY,
    () => {
      for (const name of names) {
        test(name, async () => {
          const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", program, name]);
          const { count, filledBytes, heldBytes, grownBytes } = JSON.parse(stdout) as Measured;
          const ratio = heldBytes / grownBytes;
          const each = `${count} of them: ${heldBytes / count} bytes are charged for each, ${grownBytes / count} are pinned`;
          assert.ok(heldBytes >= filledBytes * 0.9, `of ${filledBytes} bytes that were put in ${heldBytes} are there`);
          assert.ok(ratio > 0.5 && ratio < 2, each);
        });
      }
    },
  );
}
