/**
 * A journal of sessions in NATS, on the packages `@nats-io/transport-node` and `@nats-io/jetstream`.
 *
 * @packageDocumentation
 */

export type { NatsJournalOptions } from "./journal/nats/options.ts";
export { natsJournal } from "./api/journal-nats.ts";
