/** What a journal in NATS is told. */

import { OBJECT, type RulesOf, TEXT, wholeNumber } from "../../core/options/check-options.ts";
import { bounds, type Checked } from "../../io/journal/options.ts";

/** Where and how {@link "../../api/journal-nats.ts" | natsJournal} keeps. */
export interface NatsJournalOptions {
  /** The servers, one at least, as `127.0.0.1:4222` or `nats://host:port`; the client goes to another one when one is lost. */
  readonly servers: readonly string[];
  /** What {@link SessionJournal.name} answers. Journals of one name on the same servers have everything in common. */
  readonly name: string;
  /** On how many servers of a cluster each record stands, 1 to 5. Counts when the streams are made. Default: 1. */
  readonly replicas?: number | undefined;
  /** About how many records there may be; a new one is refused then. Default: 1,000,000. */
  readonly maxRecords?: number | undefined;
  /** Bytes of all records together, which the server reserves; new ones are refused from nine tenths on. Default: 1,073,741,824 (1 GiB). */
  readonly maxRecordBytes?: number | undefined;
  /** Entries of the log; an older one leaves for a new one. Default: 1,000,000: 100 seconds at 10,000 a second. */
  readonly maxEntries?: number | undefined;
  /** Bytes of the entries of the log together, which the server reserves. Default: 1,073,741,824 (1 GiB). */
  readonly maxLogBytes?: number | undefined;
  /** More for `connect` of `@nats-io/transport-node`: `user`, `pass`, `token`, `authenticator`, `tls`. Default: nothing. */
  readonly connection?: Readonly<Record<string, unknown>> | undefined;
}

/** The rules of {@link NatsJournalOptions}. */
export const NATS_JOURNAL_RULES: RulesOf<NatsJournalOptions> = {
  servers: {
    wanted: "an array of addresses, such as 127.0.0.1:4222, and not empty",
    holds: (value) => Array.isArray(value) && value.length > 0 && value.every((one) => TEXT.holds(one)),
    required: true,
  },
  name: { ...TEXT, required: true },
  replicas: { ...wholeNumber(1, 5), fallback: () => 1 },
  ...bounds(
    {
      maxRecords: 1_000_000,
      maxRecordBytes: 1_073_741_824,
      maxEntries: 1_000_000,
      maxLogBytes: 1_073_741_824,
    },
    wholeNumber(1, Number.MAX_SAFE_INTEGER),
  ),
  connection: { ...OBJECT, secret: true, fallback: () => ({}) },
};

/** Options that were checked. */
export type NatsJournalSettings = Checked<NatsJournalOptions>;
