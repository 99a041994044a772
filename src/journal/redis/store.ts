/** What stands in Redis: a hash for each record, a stream that is the log, a key for each key of an entry. */

import type { RedisClientType } from "redis";
import { stale, unavailable } from "../../io/journal/failure.ts";
import { decodeEntry, encodeEntry } from "../../io/journal/entry-bytes.ts";
import type { JournalRecord, NewEntry, SharedEntry } from "../../io/journal/journal.ts";
import type { LogPage } from "../../io/journal/log-tail.ts";
import type { Published } from "../../io/journal/publish-queue.ts";
import { APPEND, COMMIT, PAGE, REMOVE } from "./scripts.ts";

const KEY_MS = 180_000;
const PAGE_ENTRIES = 100;
/** How long the server waits for an entry before it answers that there is none. */
const BLOCK_MS = 1_000;

/** Bounds of the log. */
export interface RedisBounds {
  readonly maxEntries: number;
  readonly maxLogBytes: number;
}

type Argument = string | Buffer;

/** One journal over one connection. */
export class RedisStore {
  readonly #client: RedisClientType;
  readonly #prefix: string;
  readonly #bounds: RedisBounds;
  keptMs: number;

  constructor(client: RedisClientType, name: string, bounds: RedisBounds, keptMs: number) {
    this.#client = client;
    // The part in braces is what a cluster looks at: a name must not have braces of its own.
    this.#prefix = `{zocalo:${Buffer.from(name).toString("base64url")}}`;
    this.#bounds = bounds;
    this.keptMs = keptMs;
  }

  async read(id: string): Promise<JournalRecord | undefined> {
    const hash = (await this.#send(["HMGET", this.#recordOf(id), "v", "b"]).catch(
      damaged,
    )) as readonly (Buffer | null)[];
    const [version = null, bytes = null] = hash;
    if (version === null && bytes === null) return undefined;
    // What somebody else has put there is the record of no session, and is refused as one.
    if (!Number.isSafeInteger(Number(version)) || bytes === null) return { version: 0, bytes: Buffer.alloc(0) };
    return { version: Number(version), bytes: Uint8Array.from(bytes) };
  }

  async commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
    const keys = [this.#recordOf(id), this.#key("meta")];
    const written = await this.#run(COMMIT, keys, [String(version), Buffer.from(bytes), String(this.keptMs)]);
    if (written === 0) throw stale("commit");
    return Number(written);
  }

  async remove(id: string, version: number): Promise<void> {
    if ((await this.#run(REMOVE, [this.#recordOf(id)], [String(version)])) === 0) throw stale("remove");
  }

  async append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
    const { maxEntries, maxLogBytes } = this.#bounds;
    const topicBytes = Buffer.byteLength(topic);
    if (entries.some(({ body }) => topicBytes + body.length > maxLogBytes)) {
      throw unavailable("append", "the entry is longer than maxLogBytes");
    }
    const keys = [this.#key("log"), this.#key("meta")];
    const words: Argument[] = [topic, ...[maxEntries, maxLogBytes, this.keptMs, KEY_MS].map(String)];
    for (const { key, body } of entries) {
      if (key !== undefined) keys.push(this.#key(`key:${key}`));
      words.push(key === undefined ? "" : String(keys.length), Buffer.from(body));
    }
    return ((await this.#run(APPEND, keys, words)) as readonly unknown[]).map(Number);
  }

  async lastPlace(): Promise<number> {
    const place = (await this.#send(["HGET", this.#key("meta"), "p"])) as Buffer | null;
    return Number(place ?? 0);
  }

  /** Some of what stands behind a place; waits a second for an entry. On a connection of its own, since it waits there. */
  async page(behind: number): Promise<LogPage> {
    const page = await this.#pageNow(behind);
    if (page.entries.length > 0 || page.lostPlace > behind || page.lastPlace < behind) return page;
    await this.#send(["XREAD", "COUNT", "1", "BLOCK", String(BLOCK_MS), "STREAMS", this.#key("log"), `${behind}-0`]);
    return await this.#pageNow(behind);
  }

  async #pageNow(behind: number): Promise<LogPage> {
    const keys = [this.#key("log"), this.#key("meta")];
    const answer = await this.#run(PAGE, keys, [String(behind), String(PAGE_ENTRIES)]);
    const [lostPlace, lastPlace, found] = answer as [number, number, [Buffer, Buffer[]][]];
    return { lostPlace, lastPlace, entries: found.map(entryOf) };
  }

  /** To all who have subscribed. */
  async publish(batch: readonly Published[]): Promise<void> {
    const channel = this.#key("published");
    await Promise.all(batch.map(({ topic, body }) => this.#send(["PUBLISH", channel, encodeEntry(topic, body)])));
  }

  /** Tells what is published, over losses of the connection, which has no other use from then on. */
  async subscribe(tell: (one: Published) => void): Promise<void> {
    await this.#client.subscribe(this.#key("published"), (message: Buffer) => tell(decodeEntry(message)), true);
  }

  #recordOf(id: string): string {
    return this.#key(`record:${id}`);
  }

  #key(name: string): string {
    return `${this.#prefix}:${name}`;
  }

  #run(script: string, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#send(["EVAL", script, String(keys.length), ...keys, ...args]);
  }

  /** Texts are answered as their bytes. */
  #send(words: readonly Argument[]): Promise<unknown> {
    return this.#client.sendCommand(words, { typeMapping: { 36: Buffer } });
  }
}

/** What is no hash is read like one without a version. */
function damaged(error: unknown): readonly (Buffer | null)[] {
  if (error instanceof Error && error.message.startsWith("WRONGTYPE")) return [Buffer.from("none"), null];
  throw error;
}

function entryOf([id, [, topic, , body]]: [Buffer, Buffer[]]): SharedEntry {
  return { place: Number.parseInt(String(id), 10), topic: String(topic), body: Uint8Array.from(body ?? []) };
}
