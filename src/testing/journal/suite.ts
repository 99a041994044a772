/** What every journal must do, wherever it keeps. The rules are those of `SessionJournal`. */

import { describe, it } from "node:test";
import { lifetimeChecks } from "./lifetime.ts";
import { followerChecks, keyChecks, logChecks } from "./log.ts";
import { publishedChecks } from "./published.ts";
import { crowdChecks, recordChecks } from "./records.ts";
import { type JournalChecks, JournalScene, type MakeJournal } from "./scene.ts";

/** A test that takes longer hangs: it fails, and those behind it run. */
const HANG_MS = 120_000;

/** Everything that the suite checks. */
export const journalChecks: readonly JournalChecks[] = [
  recordChecks,
  crowdChecks,
  logChecks,
  followerChecks,
  keyChecks,
  publishedChecks,
  lifetimeChecks,
];

/**
 * Puts a journal through everything that `SessionJournal` promises: compare-and-set with one winner, bytes that are copied, odd ids,
 * one order for all who follow, keys, gaps, and `close` with calls under way. What it promises about power loss and about its
 * store being killed is for tests of its own. Registers a `describe` block with `node:test`; call it in a test file.
 *
 * @param name - Names the block.
 * @param make - Makes a journal that is not open. Those of one name have everything in common. The names are the same in each run, so
 * what it keeps must be gone before the next one.
 *
 * @example
 * ```ts
 * import { memoryJournal, type SessionJournal } from "zocalo/protocol";
 * import { journalSuite } from "zocalo/testing";
 * const made = new Map<string, SessionJournal>();
 * journalSuite("memory", ({ name, maxEntries }) => {
 *   const journal = made.get(name) ?? memoryJournal({ name, maxEntries });
 *   made.set(name, journal);
 *   return journal;
 * });
 * ```
 */
export function journalSuite(name: string, make: MakeJournal): void {
  void describe(name, () => {
    const checks = journalChecks.flatMap((one) => Object.entries(one));
    for (const [index, [title, check]] of checks.entries()) {
      void it(title, { timeout: HANG_MS }, async () => {
        // oxlint-disable-next-line eslint/no-restricted-globals -- no time of a test: who follows need not keep the process alive
        const alive = setInterval(() => undefined, HANG_MS);
        const scene = new JournalScene(make, `test${index}`);
        try {
          await check(scene);
        } finally {
          await scene.cleanup();
          clearInterval(alive);
        }
      });
    }
  });
}
