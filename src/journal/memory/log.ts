/** The log of a journal in memory: entries, their keys and who waits for more. */

import { FifoMap } from "../../core/fifo-map.ts";
import { unavailable } from "../../io/journal/failure.ts";
import type { NewEntry, SharedEntry } from "../../io/journal/journal.ts";

/** A key counts for so long after it was used first. */
const KEY_MS = 180_000;
/** 10,000 keys a second, for as long as each counts, and some more. */
const MAX_KEYS = 2_000_000;
/** So many that have left stay in the array, at least, before it is cut. */
const LEFT_IN_ARRAY = 1_024;

interface KeptEntry extends SharedEntry {
  readonly atMs: number;
}

interface UsedKey {
  readonly place: number;
  readonly atMs: number;
}

/** Entries at the places 1, 2, 3 and so on, of which the oldest leave when there are too many, too many bytes, or by their age. */
export class MemoryLog {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  /** Those before `#start` have left. */
  readonly #entries: KeptEntry[] = [];
  #start = 0;
  #bytes = 0;
  #lastPlace = 0;
  readonly #keys = new FifoMap<string, UsedKey>();
  #more: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  /** The place of the entry that was appended last; 0 when there was none. */
  get lastPlace(): number {
    return this.#lastPlace;
  }

  /** The place behind which everything is still there. */
  get lostPlace(): number {
    return this.#lastPlace - (this.#entries.length - this.#start);
  }

  /** Appends all, or throws; answers the place of each, or that of the entry with the same key. */
  append(topic: string, entries: readonly NewEntry[], nowMs: number): number[] {
    if (entries.some(({ body }) => body.length > this.#maxBytes))
      throw unavailable("append", "the entry is longer than maxLogBytes");
    if (this.#keys.size + entries.length > MAX_KEYS)
      throw unavailable("append", "too many keys in three minutes: append fewer with a key");
    const places = entries.map((entry) => this.#add(topic, entry, nowMs));
    this.wake();
    return places;
  }

  #add(topic: string, { key, body }: NewEntry, nowMs: number): number {
    const used = key === undefined ? undefined : this.#keys.get(key);
    if (used !== undefined) return used.place;
    const place = (this.#lastPlace += 1);
    this.#entries.push({ place, topic, body: Uint8Array.from(body), atMs: nowMs });
    this.#bytes += body.length;
    if (key !== undefined) this.#keys.add(key, { place, atMs: nowMs });
    while (this.#entries.length - this.#start > this.#maxEntries || this.#bytes > this.#maxBytes) this.#dropFirst();
    return place;
  }

  /** Forgets entries that are older than `keptMs`, and keys that count no more. */
  expire(nowMs: number, keptMs: number): void {
    for (let first = this.#entries[this.#start]; first !== undefined; first = this.#entries[this.#start]) {
      if (nowMs - first.atMs < keptMs) break;
      this.#dropFirst();
    }
    for (let key = this.#keys.first(); key !== undefined; key = this.#keys.first()) {
      if (nowMs - (this.#keys.get(key)?.atMs ?? 0) < KEY_MS) break;
      this.#keys.delete(key);
    }
  }

  /** At most `count` of the entries behind a place that is not lost. Each has a body of its own. */
  behind(place: number, count: number): SharedEntry[] {
    const from = this.#start + place - this.lostPlace;
    return this.#entries
      .slice(from, from + count)
      .map(({ place: at, topic, body }) => ({ place: at, topic, body: Uint8Array.from(body) }));
  }

  /** Resolves with the next entry, or when somebody wakes all who wait. */
  more(): Promise<void> {
    if (this.#more === undefined) {
      let resolve = (): void => undefined;
      const promise = new Promise<void>((settle) => (resolve = settle));
      this.#more = { promise, resolve };
    }
    return this.#more.promise;
  }

  /** Wakes all who wait. */
  wake(): void {
    this.#more?.resolve();
    this.#more = undefined;
  }

  #dropFirst(): void {
    this.#bytes -= this.#entries[this.#start]?.body.length ?? 0;
    this.#start += 1;
    if (this.#start < LEFT_IN_ARRAY || this.#start * 2 < this.#entries.length) return;
    this.#entries.splice(0, this.#start);
    this.#start = 0;
  }
}
