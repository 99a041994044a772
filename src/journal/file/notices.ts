/** What is published, on its way to the other processes: the newest messages, in the file, under `p` and a number; `n` has the last number. */

import { decodeEntry, encodeEntry } from "../../io/journal/entry-bytes.ts";
import type { Published } from "../../io/journal/publish-queue.ts";
import type { Lmdb } from "./lmdb.ts";
import { numberAt, numberedKey, numbers } from "./numbers.ts";

/** Older ones are gone for whoever has not read them. */
const KEPT = 1_024;
const LAST_KEY: Buffer = Buffer.from("n");

/** A ring of messages. */
export class FileNotices {
  readonly #database: Lmdb;

  constructor(database: Lmdb) {
    this.#database = database;
  }

  write(batch: readonly Published[]): Promise<void> {
    return this.#database.transaction(() => {
      let last = this.#last();
      for (const { topic, body } of batch) {
        last += 1;
        this.#database.put(numberedKey("p", last), encodeEntry(topic, body));
        this.#database.remove(numberedKey("p", last - KEPT));
      }
      this.#database.put(LAST_KEY, numbers(last));
    });
  }

  /** Answers what was published since it was called last, and first: since now. The transaction of reading is the caller's. */
  reader(): () => readonly Published[] {
    let told = this.#last();
    return () => {
      const last = this.#last();
      if (last === told) return [];
      const range = { start: numberedKey("p", told + 1), end: numberedKey("p", last + 1) };
      told = last;
      return Array.from(this.#database.getRange(range), ({ value }) => decodeEntry(value));
    };
  }

  #last(): number {
    const value = this.#database.getBinary(LAST_KEY);
    return value === undefined ? 0 : numberAt(value, 0);
  }
}
