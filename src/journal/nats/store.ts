/**
 * What stands in NATS: one stream of records, with a subject for each, and one stream that is the log. A record is written as the only
 * message of its subject, for which the one before leaves, if the last one there has the expected sequence. All of it works with a server
 * of version 2.9.
 */

import type { JetStreamManager } from "@nats-io/jetstream";
import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import { stale, tooLong, unavailable, unknownOutcome } from "../../io/journal/failure.ts";
import { decodeEntry, encodeEntry } from "../../io/journal/entry-bytes.ts";
import type { JournalRecord, NewEntry, SharedEntry } from "../../io/journal/journal.ts";
import type { Published } from "../../io/journal/publish-queue.ts";
import type { NatsRequests } from "./requests.ts";

/** What a message of a record begins with. The one of a record that was removed has nothing else. */
const RECORD = 1;
const REMOVED = 0;
const WRONG_LAST_SEQUENCE = 10_071;
const NO_MESSAGE = 10_037;
/** What stands around a record in a message. */
const HEADERS_BYTES = 1_024;
/** A subject is a part of a line of the protocol, which has at most 4 KiB. */
const MAX_TEXT_BYTES = 2_000;

/** The names of both streams, and of what is in them. */
export interface NatsNames {
  readonly records: string;
  readonly log: string;
  readonly recordSubjects: string;
  readonly logSubject: string;
  /** Of what no stream keeps. */
  readonly publishedSubject: string;
}

/** Names of letters, digits, hyphens and underlines, whatever the name of the journal. */
export function namesOf(journal: string): NatsNames {
  const name = encoded("open", journal);
  return {
    records: `zocalo-records-${name}`,
    log: `zocalo-log-${name}`,
    recordSubjects: `zocalo.records.${name}`,
    logSubject: `zocalo.log.${name}`,
    publishedSubject: `zocalo.published.${name}`,
  };
}

interface LastMessage {
  readonly sequence: number;
  /** Undefined when the record was removed. */
  readonly bytes: Uint8Array | undefined;
}

/** How many records there may be. */
export interface NatsBounds {
  readonly maxRecords: number;
  readonly maxRecordBytes: number;
}

/** So many records are made before the server is asked again how many there are. */
const COUNTED_AGAIN = 1_000;
/** New records are refused when this part of the bytes is used: the rest is for those that are there. */
const USED_BY_ALL = 0.9;

/** One journal over one connection. */
export class NatsStore {
  readonly names: NatsNames;
  readonly #bounds: NatsBounds;
  /** Records as they were counted last, and those made since. */
  #counted: { records: number; bytes: number; made: number } | undefined;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #headers: () => MsgHdrs;
  readonly #requests: NatsRequests;
  /** Nothing has failed since the last success. */
  isSteady = false;

  constructor(
    names: NatsNames,
    bounds: NatsBounds,
    connection: NatsConnection,
    manager: JetStreamManager,
    requests: NatsRequests,
    headers: () => MsgHdrs,
  ) {
    this.#requests = requests;
    this.names = names;
    this.#bounds = bounds;
    this.#connection = connection;
    this.#manager = manager;
    this.#headers = headers;
  }

  async read(id: string): Promise<JournalRecord | undefined> {
    const last = await this.#last(this.#subjectOf("read", id));
    return last?.bytes && { version: last.sequence, bytes: last.bytes };
  }

  async commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
    const subject = this.#subjectOf("commit", id);
    const most = this.#connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (bytes.length + HEADERS_BYTES > most)
      throw tooLong(bytes.length, `max_payload of NATS (${most}, with ${HEADERS_BYTES} around it)`);
    const message = new Uint8Array(1 + bytes.length);
    message[0] = RECORD;
    message.set(bytes, 1);
    if (version === 0) await this.#makeRoom(message.length);
    const written = await this.#writeOver(subject, version, message);
    if (written !== undefined) return written;
    if (version !== 0) throw stale("commit");
    // There may be a record that was removed; one that is written meanwhile still wins.
    const last = await this.#last(subject);
    const over = last?.bytes === undefined ? await this.#writeOver(subject, last?.sequence ?? 0, message) : undefined;
    if (over === undefined) throw stale("commit");
    return over;
  }

  async remove(id: string, version: number): Promise<void> {
    const subject = this.#subjectOf("remove", id);
    if ((await this.#writeOver(subject, version, Uint8Array.of(REMOVED))) !== undefined) return;
    if ((await this.#last(subject))?.bytes !== undefined) throw stale("remove");
  }

  /**
   * All are under way at once. After a failure the first one goes alone: while the stream finds a new leader, one that is lost could be
   * overtaken by those behind it.
   */
  async append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
    const messages = entries.map(({ key, body }) => ({
      message: encodeEntry(topic, body),
      headers: key === undefined ? undefined : this.#withHeader("Nats-Msg-Id", encoded("append", key)),
    }));
    const alone = this.isSteady ? 0 : 1;
    const places: number[] = [];
    for (const together of [messages.slice(0, alone), messages.slice(alone)]) {
      const outcomes = await Promise.allSettled(together.map(({ message, headers }) => this.#append(message, headers)));
      for (const outcome of outcomes) if (outcome.status === "fulfilled") places.push(outcome.value);
      const failed = outcomes.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
      this.isSteady = failed === undefined;
      if (failed !== undefined) throw places.length === 0 ? failed.reason : unknownOutcome("append", failed.reason);
    }
    return places;
  }

  async #append(message: Uint8Array, headers: MsgHdrs | undefined): Promise<number> {
    return (await this.#requests.send(this.names.logSubject, message, headers)).sequence("append");
  }

  /** To all who have subscribed, and to no stream. Resolves when the server has it. */
  async publish(batch: readonly Published[]): Promise<void> {
    for (const { topic, body } of batch)
      this.#connection.publish(this.names.publishedSubject, encodeEntry(topic, body));
    await this.#connection.flush();
  }

  /** Tells what is published, over losses of the connection, until it is called off. */
  async subscribe(tell: (one: Published) => void): Promise<() => void> {
    const callback = (_error: unknown, message: Msg): void => tell(decodeEntry(message.data));
    const subscription = this.#connection.subscribe(this.names.publishedSubject, { callback });
    await this.#connection.flush();
    return () => subscription.unsubscribe();
  }

  /** The entry that a message of the log is. */
  entryOf(place: number, message: Uint8Array): SharedEntry {
    return { place, ...decodeEntry(message) };
  }

  /** The places behind which entries are kept, and of the newest one. */
  async logEnds(): Promise<{ readonly lostPlace: number; readonly lastPlace: number }> {
    const { state } = await this.#manager.streams.info(this.names.log);
    return { lostPlace: Math.max(0, state.first_seq - 1), lastPlace: state.last_seq };
  }

  /**
   * Refuses a new record where there are too many. The limit of the stream would also refuse one that is there and gets
   * longer.
   */
  async #makeRoom(bytes: number): Promise<void> {
    if (this.#counted === undefined || this.#counted.made >= COUNTED_AGAIN || this.#isFull(bytes)) {
      const { state } = await this.#manager.streams.info(this.names.records);
      this.#counted = { records: state.messages, bytes: state.bytes, made: 0 };
      if (this.#isFull(bytes)) throw unavailable("commit", "there are maxRecords records, or they have maxRecordBytes");
    }
    this.#counted.records += 1;
    this.#counted.bytes += bytes;
    this.#counted.made += 1;
  }

  #isFull(bytes: number): boolean {
    const counted = this.#counted ?? { records: 0, bytes: 0 };
    const { maxRecords, maxRecordBytes } = this.#bounds;
    return counted.records >= maxRecords || counted.bytes + bytes > maxRecordBytes * USED_BY_ALL;
  }

  #subjectOf(op: string, id: string): string {
    return `${this.names.recordSubjects}.${encoded(op, id)}`;
  }

  /** Writes the only message of a subject; answers its sequence, or undefined if the one there has another sequence. */
  async #writeOver(subject: string, sequence: number, message: Uint8Array): Promise<number | undefined> {
    const headers = this.#withHeader("Nats-Expected-Last-Subject-Sequence", String(sequence));
    const answer = await this.#requests.send(subject, message, headers);
    return answer.errorCode === WRONG_LAST_SEQUENCE ? undefined : answer.sequence("commit");
  }

  /** Asks the leader, and no replica, which may be behind. */
  async #last(subject: string): Promise<LastMessage | undefined> {
    try {
      const found = await this.#manager.streams.getMessage(this.names.records, { last_by_subj: subject });
      if (found === null) return undefined;
      const bytes = found.data[0] === RECORD ? Uint8Array.from(found.data.subarray(1)) : undefined;
      return { sequence: found.seq, bytes };
    } catch (error) {
      if ((error as { readonly code?: unknown }).code === NO_MESSAGE) return undefined;
      throw error;
    }
  }

  #withHeader(name: string, value: string): MsgHdrs {
    const headers = this.#headers();
    headers.set(name, value);
    return headers;
  }
}

/** Any text, as letters that a subject may have. */
function encoded(op: string, text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length > MAX_TEXT_BYTES) {
    throw unavailable(op, `a name, an id or a key has at most ${MAX_TEXT_BYTES} bytes in this journal`);
  }
  return `i${bytes.toString("base64url")}`;
}
