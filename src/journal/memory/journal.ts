/** A journal in the memory of this process. */

import { FifoMap } from "../../core/fifo-map.ts";
import { type RulesOf, TEXT } from "../../core/options/check-options.ts";
import { notOpen, stale, unavailable } from "../../io/journal/failure.ts";
import type {
  Following,
  JournalNeeds,
  JournalRecord,
  LogFollower,
  NewEntry,
  SessionJournal,
} from "../../io/journal/journal.ts";
import { bounds, type Checked } from "../../io/journal/options.ts";
import { MAX_PUBLISHED_BYTES, type Published } from "../../io/journal/publish-queue.ts";
import type { Clock } from "../../io/network/network.ts";
import { MemoryLog } from "./log.ts";

/** How {@link "../../api/journal.ts" | memoryJournal} keeps. What is over a limit is refused with `JOURNAL_UNAVAILABLE`, or leaves the log. */
export interface MemoryJournalOptions {
  /** What {@link SessionJournal.name} answers. Default: `memory`. */
  readonly name?: string | undefined;
  /** Records at most. Default: 100,000, as a session that comes and goes leaves one for as long as `keptMs`. */
  readonly maxRecords?: number | undefined;
  /** Bytes of all records together. Default: 268,435,456 (256 MiB). */
  readonly maxRecordBytes?: number | undefined;
  /** Entries of the log; an older one leaves for a new one. Default: 100,000: ten seconds at 10,000 a second. */
  readonly maxEntries?: number | undefined;
  /** Bytes of the entries of the log together. Default: 67,108,864 (64 MiB). */
  readonly maxLogBytes?: number | undefined;
  /** What time it is. Default: the clock of the system. In a simulated world: that of one of its hosts. */
  readonly clock?: Clock | undefined;
}

/** The rules of {@link MemoryJournalOptions}. */
export const MEMORY_JOURNAL_RULES: RulesOf<MemoryJournalOptions> = {
  name: { ...TEXT, fallback: () => "memory" },
  ...bounds({ maxRecords: 100_000, maxRecordBytes: 268_435_456, maxEntries: 100_000, maxLogBytes: 67_108_864 }),
  clock: {
    wanted: "a clock, such as that of a network",
    holds: (value) => typeof (value as Partial<Clock> | null)?.now === "function",
  },
};

/** Options that were checked. */
export type MemoryJournalSettings = Checked<MemoryJournalOptions>;

/** So many entries are told at once. */
const BATCH_ENTRIES = 256;
/** So much that was published waits for a follower. */
const MAX_PUBLISHED = 1_024;

interface KeptRecord extends JournalRecord {
  readonly atMs: number;
}

/** A follower, until it is stopped or the journal closes. */
class MemoryFollowing implements Following {
  readonly behind: number;
  readonly #stopped: (following: MemoryFollowing) => void;
  /** What waits to be told. */
  published: Published[] = [];
  active = true;

  constructor(behind: number, stopped: (following: MemoryFollowing) => void) {
    this.behind = behind;
    this.#stopped = stopped;
  }

  stop(): void {
    this.active = false;
    this.#stopped(this);
  }
}

/** Records in a map, in the order of their last writing, and a log. */
export class MemoryJournal implements SessionJournal {
  readonly name: string;
  readonly #settings: MemoryJournalSettings;
  readonly #records = new FifoMap<string, KeptRecord>();
  #recordBytes = 0;
  /** Of all records: so an id that is used again never has a version that it had before. */
  #lastVersion = 0;
  readonly #log: MemoryLog;
  readonly #followers = new Set<MemoryFollowing>();
  #opened = 0;
  #keptMs = 0;

  constructor(settings: MemoryJournalSettings) {
    this.name = settings.name;
    this.#settings = settings;
    this.#log = new MemoryLog(settings.maxEntries, settings.maxLogBytes);
  }

  async open({ keptMs }: JournalNeeds): Promise<void> {
    this.#opened += 1;
    this.#keptMs = Math.max(this.#keptMs, keptMs);
  }

  async read(id: string): Promise<JournalRecord | undefined> {
    this.#begin("read");
    const record = this.#records.get(id);
    return record === undefined ? undefined : { version: record.version, bytes: Uint8Array.from(record.bytes) };
  }

  async commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
    const nowMs = this.#begin("commit");
    const before = this.#records.get(id);
    if (version !== (before?.version ?? 0)) throw stale("commit");
    const heldBytes = this.#recordBytes - (before?.bytes.length ?? 0) + bytes.length;
    const { maxRecords, maxRecordBytes } = this.#settings;
    if (heldBytes > maxRecordBytes) throw unavailable("commit", "the records would be longer than maxRecordBytes");
    if (before === undefined && this.#records.size >= maxRecords)
      throw unavailable("commit", "there are maxRecords records");
    this.#lastVersion += 1;
    this.#records.delete(id);
    this.#records.add(id, { version: this.#lastVersion, bytes: Uint8Array.from(bytes), atMs: nowMs });
    this.#recordBytes = heldBytes;
    return this.#lastVersion;
  }

  async remove(id: string, version: number): Promise<void> {
    this.#begin("remove");
    const record = this.#records.get(id);
    if (record === undefined) return;
    if (record.version !== version) throw stale("remove");
    this.#forget(id, record);
  }

  async append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
    return this.#log.append(topic, entries, this.#begin("append"));
  }

  async follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
    this.#begin("follow");
    const following = new MemoryFollowing(behind ?? this.#log.lastPlace, (one) => this.#followers.delete(one));
    this.#followers.add(following);
    void this.#tell(following, follower);
    return following;
  }

  publish(topic: string, body: Uint8Array): void {
    if (this.#opened === 0 || body.length > MAX_PUBLISHED_BYTES) return;
    for (const { published } of this.#followers) {
      if (published.length < MAX_PUBLISHED) published.push({ topic, body: Uint8Array.from(body) });
    }
    this.#log.wake();
  }

  async close(): Promise<void> {
    if (this.#opened === 0) return;
    this.#opened -= 1;
    if (this.#opened > 0) return;
    for (const following of this.#followers) following.stop();
    this.#log.wake();
  }

  /** Refuses a call when nobody has the journal open; else forgets what is too old, and answers the time. */
  #begin(op: string): number {
    if (this.#opened === 0) throw notOpen(op);
    const nowMs = this.#settings.clock.now();
    for (let id = this.#records.first(); id !== undefined; id = this.#records.first()) {
      const record = this.#records.get(id);
      if (record === undefined || nowMs - record.atMs < this.#keptMs) break;
      this.#forget(id, record);
    }
    this.#log.expire(nowMs, this.#keptMs);
    return nowMs;
  }

  #forget(id: string, record: KeptRecord): void {
    this.#records.delete(id);
    this.#recordBytes -= record.bytes.length;
  }

  /**
   * Tells a follower, from its own call of `follow` on: so whatever runs beneath it belongs to who follows, and not to who appends.
   */
  async #tell(following: MemoryFollowing, follower: LogFollower): Promise<void> {
    // Not inside of the call of `follow`.
    await Promise.resolve();
    let place = following.behind;
    while (following.active) {
      const { lostPlace, lastPlace } = this.#log;
      const { published } = following;
      if (published.length > 0) {
        following.published = [];
        for (const { topic, body } of published) if (following.active) follower.published?.(topic, body);
        continue;
      }
      if (place < lostPlace || place > lastPlace) {
        place = Math.min(Math.max(place, lostPlace), lastPlace);
        follower.gap(place);
      } else if (place < lastPlace) {
        const entries = this.#log.behind(place, BATCH_ENTRIES);
        place += entries.length;
        follower.entries(entries);
      } else await this.#log.more();
    }
  }
}
