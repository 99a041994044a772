/** The journal in a file, with the clocks of the system. */

import { checkOptions } from "../core/options/check-options.ts";
import type { SessionJournal } from "../io/journal/journal.ts";
import {
  FILE_JOURNAL_RULES,
  FileJournal,
  type FileJournalOptions,
  type FileJournalSettings,
} from "../journal/file/journal.ts";
import { nodeNetwork } from "../node/network.ts";
import { wallTime } from "../node/wall-clock.ts";

/**
 * A journal in a file on this machine, for one process or several: a server that was killed and starts again has its sessions. What a call has
 * answered as written is on the disk before, with `fsync`, written by a thread of its own. Needs the package `lmdb` (`npm install lmdb`).
 *
 * A record lives for at least `keptMs` after it was written last, and after this process has opened the journal: so sessions outlive
 * the time during which no process ran. A follower hears entries of its own process at once, those of others within `pollMs`.
 * What is published goes through the file too: a ring of the newest 1,024 messages, a transaction with `fsync` for each batch.
 * The path must be on a disk of this machine; a network file system has no locks that are good enough.
 *
 * Throws `OPTION_INVALID` for a wrong option. `open` rejects with `UNSUPPORTED` without the package, and with `JOURNAL_UNAVAILABLE` for a file that
 * is damaged or none of a journal. A call that has no answer after five seconds, as when another process that writes was stopped,
 * rejects with `JOURNAL_UNKNOWN`. `close` waits for the calls under way.
 *
 * @example
 * ```ts
 * import { fileJournal } from "zocalo/journal-file";
 * const journal = fileJournal({ path: "data/sessions.journal" });
 * await journal.open({ keptMs: 60_000 });
 * await journal.commit("ana", 0, Buffer.from("one"));
 * await journal.close();
 * await journal.open({ keptMs: 60_000 });
 * console.log(String((await journal.read("ana"))?.bytes)); // one
 * await journal.close();
 * ```
 */
export function fileJournal(options: FileJournalOptions): SessionJournal {
  const given = checkOptions<object>({ op: "fileJournal" }, options ?? {}, FILE_JOURNAL_RULES);
  return new FileJournal(given as FileJournalSettings, nodeNetwork.clock, wallTime);
}
