/**
 * What stands in the file, and the transactions over it. Keys by their first letter: `r` records, `l` entries of the log by place,
 * `k` keys of entries, `q` the order of those keys by place, `m` the counters of all; `n` and `p` are in `notices.ts`.
 */

import { stale, unavailable } from "../../io/journal/failure.ts";
import { decodeEntry, encodeEntry } from "../../io/journal/entry-bytes.ts";
import type { JournalRecord, NewEntry, SharedEntry } from "../../io/journal/journal.ts";
import type { LogPage } from "../../io/journal/log-tail.ts";
import { type Lmdb, MAX_KEY_BYTES } from "./lmdb.ts";
import { FileNotices } from "./notices.ts";
import { NUMBER_BYTES, numberAt, numberedKey, numbers } from "./numbers.ts";

/** A key counts for so long after it was used first. */
const KEY_MS = 180_000;
/** So many old keys are looked for with each one that is written, and entries: they go faster than they come. */
const SWEPT = 2;
/** With each of so many records that are written, so many old ones are looked for: to begin a search costs more than to go on. */
const SWEEP_EVERY = 8;
const SWEPT_RECORDS = 16;
/** So many entries are told at once, as long as they are not longer than so many bytes together. */
const PAGE_ENTRIES = 256;
const PAGE_BYTES = 4_194_304;

/** Bounds of a {@link FileStore}. */
export interface FileBounds {
  readonly maxRecords: number;
  readonly maxRecordBytes: number;
  readonly maxEntries: number;
  readonly maxLogBytes: number;
}

/** What is counted in the file, in this order. */
interface Counters {
  version: number;
  place: number;
  lostPlace: number;
  logBytes: number;
  records: number;
  recordBytes: number;
}

const COUNTERS = ["version", "place", "lostPlace", "logBytes", "records", "recordBytes"] as const;
const COUNTERS_KEY: Buffer = Buffer.from("m");
const RECORDS = { start: Buffer.from("r"), end: Buffer.from("s") } as const;
const QUEUE = { start: Buffer.from("q"), end: Buffer.from("r") } as const;

/** Records, log and keys in one database. Times are milliseconds since 1970. */
export class FileStore {
  readonly #database: Lmdb;
  readonly #bounds: FileBounds;
  readonly #now: () => number;
  readonly #openedMs: number;
  keptMs: number;
  readonly notices: FileNotices;
  /** Records that were to be written. */
  #commits = 0;
  /** Where the search for old records goes on. */
  #sweepFrom: Uint8Array = RECORDS.start;

  constructor(database: Lmdb, bounds: FileBounds, now: () => number, keptMs: number) {
    this.#database = database;
    this.#bounds = bounds;
    this.#now = now;
    this.#openedMs = now();
    this.keptMs = keptMs;
    this.notices = new FileNotices(database);
  }

  read(id: string): JournalRecord | undefined {
    const key = keyOf("read", "r", id);
    this.#database.resetReadTxn();
    const value = this.#database.getBinary(key);
    if (value === undefined || this.#isOld(value)) return undefined;
    return { version: numberAt(value, 0), bytes: Uint8Array.from(value.subarray(2 * NUMBER_BYTES)) };
  }

  async commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
    const key = keyOf("commit", "r", id);
    const value = Buffer.concat([Buffer.alloc(2 * NUMBER_BYTES), bytes]);
    return settled(
      await this.#database.transaction(() => {
        const before = this.#database.getBinary(key);
        const counters = this.#counters();
        if (version !== (before === undefined || this.#isOld(before) ? 0 : numberAt(before, 0))) return stale("commit");
        this.#commits += 1;
        if (this.#commits % SWEEP_EVERY === 1) this.#sweep(counters, key);
        let refusal = this.#add(counters, value.length, before?.length);
        if (refusal !== undefined) {
          this.#sweep(counters, key);
          refusal = this.#add(counters, value.length, before?.length);
        }
        if (refusal !== undefined) {
          this.#count(counters);
          return unavailable("commit", refusal);
        }
        counters.version += 1;
        value.writeDoubleBE(counters.version, 0);
        value.writeDoubleBE(this.#now(), NUMBER_BYTES);
        this.#database.put(key, value);
        this.#count(counters);
        return counters.version;
      }),
    );
  }

  async remove(id: string, version: number): Promise<void> {
    const key = keyOf("remove", "r", id);
    settled(
      await this.#database.transaction(() => {
        const value = this.#database.getBinary(key);
        if (value === undefined) return undefined;
        if (numberAt(value, 0) !== version) return stale("remove");
        const counters = this.#counters();
        this.#drop(counters, key, value);
        this.#count(counters);
        return undefined;
      }),
    );
  }

  async append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
    const values = entries.map(({ key, body }) => ({
      keyed: key === undefined ? undefined : keyOf("append", "k", key),
      value: encodeEntry(topic, body, NUMBER_BYTES),
    }));
    if (values.some(({ value }) => value.length > this.#bounds.maxLogBytes))
      throw unavailable("append", "the entry is longer than maxLogBytes");
    return await this.#database.transaction(() => {
      const nowMs = this.#now();
      const counters = this.#counters();
      const places = values.map(({ keyed, value }) => this.#append(counters, keyed, value, nowMs));
      this.#count(counters);
      return places;
    });
  }

  /** Answers the place. */
  #append(counters: Counters, keyed: Buffer | undefined, value: Buffer, nowMs: number): number {
    const used = keyed && this.#database.getBinary(keyed);
    if (used !== undefined && nowMs - numberAt(used, NUMBER_BYTES) < KEY_MS) return numberAt(used, 0);
    counters.place += 1;
    counters.logBytes += value.length;
    value.writeDoubleBE(nowMs, 0);
    this.#database.put(numberedKey("l", counters.place), value);
    this.#forgetKeys(nowMs);
    if (keyed !== undefined) {
      this.#database.put(keyed, numbers(counters.place, nowMs));
      this.#database.put(numberedKey("q", counters.place), keyed);
    }
    this.#cutLog(counters, nowMs);
    return counters.place;
  }

  /** The place of the newest entry. */
  lastPlace(): number {
    this.#database.resetReadTxn();
    return this.#counters().place;
  }

  /** Some of what stands behind a place. */
  page(behind: number): LogPage {
    this.#database.resetReadTxn();
    const { lostPlace, place } = this.#counters();
    const entries: SharedEntry[] = [];
    if (behind < lostPlace || behind >= place) return { lostPlace, lastPlace: place, entries };
    let bytes = 0;
    const range = { start: numberedKey("l", behind + 1), end: numberedKey("l", place + 1), limit: PAGE_ENTRIES };
    for (const { key, value } of this.#database.getRange(range)) {
      entries.push({ place: numberAt(key, 1), ...decodeEntry(value, NUMBER_BYTES) });
      if ((bytes += value.length) > PAGE_BYTES) break;
    }
    return { lostPlace, lastPlace: place, entries };
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** Counts a record; answers why there is no room for it. */
  #add(counters: Counters, bytes: number, bytesBefore: number | undefined): string | undefined {
    const records = counters.records + (bytesBefore === undefined ? 1 : 0);
    const recordBytes = counters.recordBytes + bytes - (bytesBefore ?? 0);
    if (records > this.#bounds.maxRecords) return "there are maxRecords records";
    if (recordBytes > this.#bounds.maxRecordBytes) return "the records would be longer than maxRecordBytes";
    counters.records = records;
    counters.recordBytes = recordBytes;
    return undefined;
  }

  /** Not written for `keptMs`, nor was the journal opened since. */
  #isOld(record: Uint8Array): boolean {
    return this.#now() - Math.max(numberAt(record, NUMBER_BYTES), this.#openedMs) >= this.keptMs;
  }

  /** Drops old ones of the next few records. `written` is left alone. */
  #sweep(counters: Counters, written: Uint8Array): void {
    const range = { start: this.#sweepFrom, end: RECORDS.end, limit: SWEPT_RECORDS };
    this.#sweepFrom = RECORDS.start;
    for (const { key, value } of Array.from(this.#database.getRange(range))) {
      this.#sweepFrom = Buffer.concat([key, Buffer.alloc(1)]);
      if (this.#isOld(value) && Buffer.compare(key, written) !== 0) this.#drop(counters, key, value);
    }
  }

  #drop(counters: Counters, key: Uint8Array, value: Uint8Array): void {
    this.#database.remove(key);
    counters.records -= 1;
    counters.recordBytes -= value.length;
  }

  #forgetKeys(nowMs: number): void {
    for (const { key, value } of Array.from(this.#database.getRange({ ...QUEUE, limit: SWEPT }))) {
      const used = this.#database.getBinary(value);
      if (used !== undefined && nowMs - numberAt(used, NUMBER_BYTES) < KEY_MS) return;
      this.#database.remove(key);
      this.#database.remove(value);
    }
  }

  /** Drops the oldest entries that are too many, too long together, or too old; of those, a few. */
  #cutLog(counters: Counters, nowMs: number): void {
    const { maxEntries, maxLogBytes } = this.#bounds;
    for (let cut = 0; counters.lostPlace < counters.place; cut += 1) {
      const key = numberedKey("l", counters.lostPlace + 1);
      const oldest = this.#database.getBinary(key);
      const isOver = counters.place - counters.lostPlace > maxEntries || counters.logBytes > maxLogBytes;
      const isOld = oldest !== undefined && nowMs - Math.max(numberAt(oldest, 0), this.#openedMs) >= this.keptMs;
      if (!isOver && !(isOld && cut < SWEPT)) return;
      this.#database.remove(key);
      counters.logBytes -= oldest?.length ?? 0;
      counters.lostPlace += 1;
    }
  }

  #counters(): Counters {
    const value = this.#database.getBinary(COUNTERS_KEY);
    const counters: Counters = { version: 0, place: 0, lostPlace: 0, logBytes: 0, records: 0, recordBytes: 0 };
    if (value === undefined) return counters;
    for (const [index, name] of COUNTERS.entries()) counters[name] = numberAt(value, index * NUMBER_BYTES);
    return counters;
  }

  #count(counters: Counters): void {
    this.#database.put(COUNTERS_KEY, numbers(...COUNTERS.map((name) => counters[name])));
  }
}

/** An outcome of a transaction, which must not throw: an error is refused afterwards. */
function settled<T>(outcome: T): Exclude<T, Error> {
  if (outcome instanceof Error) throw outcome;
  return outcome as Exclude<T, Error>;
}

function keyOf(op: string, letter: string, text: string): Buffer {
  const key = Buffer.from(letter + text);
  if (key.length > MAX_KEY_BYTES)
    throw unavailable(op, `an id or a key has at most ${MAX_KEY_BYTES} bytes in this journal`);
  return key;
}
