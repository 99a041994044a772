/** A journal in a file. */

import { type RulesOf, TEXT, wholeNumber } from "../../core/options/check-options.ts";
import type {
  Following,
  JournalNeeds,
  JournalRecord,
  LogFollower,
  NewEntry,
  SessionJournal,
} from "../../io/journal/journal.ts";
import { type LogPage, LogTail } from "../../io/journal/log-tail.ts";
import { bounds, type Checked } from "../../io/journal/options.ts";
import { PublishQueue } from "../../io/journal/publish-queue.ts";
import { StoreCalls } from "../../io/journal/store-calls.ts";
import type { Clock } from "../../io/network/network.ts";
import { openLmdb } from "./lmdb.ts";
import { FileStore } from "./store.ts";

/** Where and how {@link "../../api/journal-file.ts" | fileJournal} keeps. What is over a limit is refused with `JOURNAL_UNAVAILABLE`. */
export interface FileJournalOptions {
  /** The file. It is made where there is none, with its folders; another file, `PATH-lock`, stands beside it. */
  readonly path: string;
  /** What {@link SessionJournal.name} answers, the same in all processes that share the file. Default: `file`. */
  readonly name?: string | undefined;
  /** Records at most. Default: 1,000,000. */
  readonly maxRecords?: number | undefined;
  /** Bytes of all records together. Default: 4,294,967,296 (4 GiB). */
  readonly maxRecordBytes?: number | undefined;
  /** Entries of the log; an older one leaves for a new one. Default: 1,000,000: 100 seconds at 10,000 a second. */
  readonly maxEntries?: number | undefined;
  /** Bytes of the entries of the log together. Default: 1,073,741,824 (1 GiB). */
  readonly maxLogBytes?: number | undefined;
  /** How often a follower looks for what other processes have appended, in milliseconds, up to 60,000. Default: 10. */
  readonly pollMs?: number | undefined;
}

/** The rules of {@link FileJournalOptions}. */
export const FILE_JOURNAL_RULES: RulesOf<FileJournalOptions> = {
  path: { ...TEXT, required: true },
  name: { ...TEXT, fallback: () => "file" },
  ...bounds({
    maxRecords: 1_000_000,
    maxRecordBytes: 4_294_967_296,
    maxEntries: 1_000_000,
    maxLogBytes: 1_073_741_824,
  }),
  pollMs: { ...wholeNumber(1, 60_000), fallback: () => 10 },
};

/** Options that were checked. */
export type FileJournalSettings = Checked<FileJournalOptions>;

/** Records and the log in one file, which several processes of one machine may have open. */
export class FileJournal implements SessionJournal {
  readonly name: string;
  readonly #settings: FileJournalSettings;
  readonly #clock: Clock;
  readonly #calls: StoreCalls<FileStore>;
  readonly #followers = new Set<LogTail>();
  readonly #published: PublishQueue;

  /** @param wallTime - Milliseconds since 1970: what is kept was written by processes that are gone. */
  constructor(settings: FileJournalSettings, clock: Clock, wallTime: () => number) {
    this.name = settings.name;
    this.#settings = settings;
    this.#clock = clock;
    this.#calls = new StoreCalls(clock, {
      connect: async ({ keptMs }) => new FileStore(await openLmdb(settings.path), settings, wallTime, keptMs),
      keep: async (store, { keptMs }) => void (store.keptMs = Math.max(store.keptMs, keptMs)),
      leave: () => {
        for (const follower of this.#followers) follower.stop();
      },
      disconnect: (store) => store.close(),
      wroteNothing: () => false,
    });
    this.#published = new PublishQueue(async (batch) => {
      await this.#calls.write("publish", (store) => store.notices.write(batch));
      this.#wake();
    });
  }

  open(needs: JournalNeeds): Promise<void> {
    return this.#calls.open(needs);
  }

  read(id: string): Promise<JournalRecord | undefined> {
    return this.#calls.read("read", async (store) => store.read(id));
  }

  commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
    return this.#calls.write("commit", (store) => store.commit(id, version, bytes));
  }

  remove(id: string, version: number): Promise<void> {
    return this.#calls.write("remove", (store) => store.remove(id, version));
  }

  async append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
    const places = await this.#calls.write("append", (store) => store.append(topic, entries));
    this.#wake();
    return places;
  }

  follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
    return this.#calls.read("follow", async (store) => {
      const tail = new LogTail(this.#clock, behind ?? store.lastPlace(), follower);
      this.#followers.add(tail);
      const published = store.notices.reader();
      const read = (place: number): LogPage => ({ ...store.page(place), published: published() });
      void tail.run(read, this.#settings.pollMs).then(() => this.#followers.delete(tail));
      return tail;
    });
  }

  publish(topic: string, body: Uint8Array): void {
    this.#published.push(topic, body);
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  #wake(): void {
    for (const follower of this.#followers) follower.wake();
  }
}
