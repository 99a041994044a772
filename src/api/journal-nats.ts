/** The journal in NATS, with the clock of the system. */

import { checkOptions } from "../core/options/check-options.ts";
import type { SessionJournal } from "../io/journal/journal.ts";
import { NatsJournal } from "../journal/nats/journal.ts";
import { NATS_JOURNAL_RULES, type NatsJournalOptions, type NatsJournalSettings } from "../journal/nats/options.ts";
import { nodeNetwork } from "../node/network.ts";

/**
 * A journal in NATS, for servers on many machines. Needs `nats-server` 2.9 or newer with JetStream, and the packages `@nats-io/transport-node` and
 * `@nats-io/jetstream` (`npm install @nats-io/transport-node @nats-io/jetstream`). It makes two streams for its name, never one for each session.
 *
 * What a call has answered as written is in the page cache of the server: it outlives the death of `nats-server`, and not a loss of power. With
 * `replicas: 3` it is on two of three machines. `sync_interval: always` in the configuration of newer servers lets it be on the disk.
 * What is published goes through core NATS, without a stream. If the servers have lost their streams, followers make them anew.
 * The servers must allow messages of the longest record and 1 KiB more (`max_payload`, 1 MiB by default).
 *
 * Throws `OPTION_INVALID` for a wrong option. `open` rejects with `UNSUPPORTED` without the packages, and with `JOURNAL_UNAVAILABLE` if no server
 * answers. When the connection is lost, calls under way reject with `JOURNAL_UNKNOWN`, others with `JOURNAL_UNAVAILABLE` until it is back;
 * followers go on then. A call without an answer for five seconds rejects too. `close` waits for the calls under way.
 *
 * @example
 * ```ts
 * import { natsJournal } from "zocalo/journal-nats";
 * const journal = natsJournal({ servers: ["127.0.0.1:4222"], name: "chat" });
 * await journal.open({ keptMs: 60_000 });
 * const version = await journal.commit("ana", 0, Buffer.from("one"));
 * console.log(version > 0); // true
 * await journal.close();
 * ```
 */
export function natsJournal(options: NatsJournalOptions): SessionJournal {
  const given = checkOptions<object>({ op: "natsJournal" }, options ?? {}, NATS_JOURNAL_RULES);
  return new NatsJournal(given as NatsJournalSettings, nodeNetwork.clock);
}
