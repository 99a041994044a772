/** The journal in memory, with the clock of the kernel's network unless another one is given. */

import { checkOptions, type OptionRules } from "../core/options/check-options.ts";
import type { SessionJournal } from "../io/journal/journal.ts";
import {
  MEMORY_JOURNAL_RULES,
  MemoryJournal,
  type MemoryJournalOptions,
  type MemoryJournalSettings,
} from "../journal/memory/journal.ts";
import { nodeNetwork } from "../node/network.ts";

/**
 * A journal in the memory of this process: for tests, for simulated worlds, and for several servers of one process. What it has kept is
 * gone with the process. Give one object to all servers that are to share their sessions; two objects share nothing, whatever
 * their names. It still has everything when all have closed it, and may be opened again.
 *
 * Its promises settle without a turn of the event loop, and followers are told in the same turn. Throws `OPTION_INVALID` for a wrong
 * option. Its calls reject with `JOURNAL_STALE`, and with `JOURNAL_UNAVAILABLE` while it is not open and where a limit is reached.
 * Pending calls are over before `close`; followers are stopped by the last one.
 *
 * @example
 * ```ts
 * import { memoryJournal } from "zocalo/protocol";
 * const journal = memoryJournal({ maxRecords: 1_000 });
 * await journal.open({ keptMs: 60_000 });
 * await journal.follow(undefined, {
 *   entries: (entries) => console.log(entries.map(({ topic, body }) => `${topic}: ${String(Buffer.from(body))}`)), // [ 'g/plaza: hola' ]
 *   gap: (place) => console.log(`something before ${place} is lost`),
 * });
 * await journal.append("g/plaza", [{ body: Buffer.from("hola") }]);
 * await journal.close();
 * ```
 */
export function memoryJournal(options: MemoryJournalOptions = {}): SessionJournal {
  return new MemoryJournal(checkOptions({ op: "memoryJournal" }, options, RULES) as MemoryJournalSettings);
}

const RULES: OptionRules = {
  ...MEMORY_JOURNAL_RULES,
  clock: { ...MEMORY_JOURNAL_RULES.clock, fallback: () => nodeNetwork.clock },
};
