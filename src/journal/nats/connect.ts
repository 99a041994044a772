/** The connection to NATS, and the streams there. */

import type * as jetStreamPackage from "@nats-io/jetstream";
import type * as transportPackage from "@nats-io/transport-node";
import { ZocaloError } from "../../core/errors.ts";
import { unavailable } from "../../io/journal/failure.ts";
import { loadPackage } from "../../io/journal/load-package.ts";
import type { Clock } from "../../io/network/network.ts";
import type { NatsJournalSettings } from "./options.ts";
import { NatsRequests } from "./requests.ts";
import { namesOf, NatsStore } from "./store.ts";

/** A key counts for so long: the window in which the server drops duplicates. It must not be longer than entries are kept. */
const KEY_MS = 180_000;
const PACKAGES = ["@nats-io/transport-node", "@nats-io/jetstream"] as const;
const RECONNECT_MS = 100;
const CONNECT_MS = 4_000;
const STREAM_NOT_FOUND = 10_059;
const NAME_IN_USE = 10_058;
const NANOSECONDS = 1_000_000;

/** What is connected. */
export interface ConnectedNats {
  readonly connection: transportPackage.NatsConnection;
  readonly client: jetStreamPackage.JetStreamClient;
  readonly store: NatsStore;
  readonly requests: NatsRequests;
  /** Makes the streams where they are missing; lets them keep what they have for so long, if they do not already. */
  keep(keptMs?: number): Promise<void>;
}

/** Connects, and makes the streams where there are none. */
export async function connectNats(settings: NatsJournalSettings, clock: Clock): Promise<ConnectedNats> {
  const [transport, jetStream] = await loadPackage("natsJournal", PACKAGES, () =>
    Promise.all([import("@nats-io/transport-node"), import("@nats-io/jetstream")]),
  );
  let connection: transportPackage.NatsConnection | undefined;
  try {
    connection = await transport.connect({
      ...settings.connection,
      servers: [...settings.servers],
      maxReconnectAttempts: -1,
      // Else it gives up, without a word, when a server that is started again refuses its user twice.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: RECONNECT_MS,
      timeout: CONNECT_MS,
      // Two errors with their stacks for each request, in case it fails: a twentieth of the processor of a busy server.
      noAsyncTraces: true,
    });
    const client = jetStream.jetstream(connection);
    const manager = await client.jetstreamManager();
    const { inboxPrefix } = settings.connection;
    const inbox = transport.createInbox(typeof inboxPrefix === "string" ? inboxPrefix : undefined);
    const requests = new NatsRequests(connection, clock, inbox);
    const store = new NatsStore(namesOf(settings.name), settings, connection, manager, requests, transport.headers);
    let longestMs = 0;
    const keep = async (keptMs = 0): Promise<void> => {
      longestMs = Math.max(longestMs, keptMs);
      for (const wanted of streamsOf(settings, longestMs)) await makeStream(wanted);
    };
    const makeStream = async (wanted: Partial<jetStreamPackage.StreamConfig> & { name: string }): Promise<void> => {
      const { streams } = manager;
      try {
        const { config } = await streams.info(wanted.name);
        if (String(config.subjects) !== String(wanted.subjects)) throw otherStream(wanted.name, config.subjects);
        if (config.max_age >= (wanted.max_age ?? 0)) return;
        await streams.update(wanted.name, { max_age: wanted.max_age ?? 0 });
      } catch (error) {
        if (codeOf(error) !== STREAM_NOT_FOUND) throw error;
        await streams.add(wanted).catch((reason: unknown) => {
          // Another server has made it at the same time, for another time.
          if (codeOf(reason) !== NAME_IN_USE) throw reason;
          return makeStream(wanted);
        });
      }
    };
    return { connection, client, store, requests, keep };
  } catch (error) {
    await connection?.close();
    throw refusal(error);
  }
}

/** Why the journal could not be opened, as what the program sees. */
export function refusal(error: unknown): ZocaloError {
  if (error instanceof ZocaloError) return error;
  const why = error instanceof Error ? error.message : String(error);
  const hint = "is nats-server running, with JetStream (-js), and does the option connection have what it asks for?";
  return unavailable("open", `NATS cannot be used: ${why}; ${hint}`, error);
}

function otherStream(name: string, subjects: readonly string[]): ZocaloError {
  const detail = `the stream ${name} has the subjects ${subjects.join(", ")}, so it is not of this journal; take another name, or delete it`;
  return unavailable("open", detail);
}

function streamsOf(
  settings: NatsJournalSettings,
  keptMs: number,
): (Partial<jetStreamPackage.StreamConfig> & { name: string })[] {
  const { records, log, recordSubjects, logSubject } = namesOf(settings.name);
  const both = { storage: "file", num_replicas: settings.replicas } as const;
  return [
    {
      ...both,
      name: records,
      subjects: [`${recordSubjects}.*`],
      max_age: keptMs * NANOSECONDS,
      max_bytes: settings.maxRecordBytes,
      // Not a rollup, whose bytes servers before 2.9.15 count for ever: such a server takes nothing any more when they are as many as the
      // bytes of max_file_store.
      max_msgs_per_subject: 1,
      // What has no room is refused; nobody's record is dropped.
      discard: "new",
      duplicate_window: Math.min(keptMs, KEY_MS) * NANOSECONDS,
    },
    {
      ...both,
      name: log,
      subjects: [logSubject],
      max_age: Math.max(keptMs, KEY_MS) * NANOSECONDS,
      max_msgs: settings.maxEntries,
      max_bytes: settings.maxLogBytes,
      discard: "old",
      duplicate_window: KEY_MS * NANOSECONDS,
    },
  ];
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code;
}
