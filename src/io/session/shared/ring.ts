/** The last entries of a log, in the memory of a server. */

import type { SharedEntry } from "../../journal/journal.ts";

/** Enough for some seconds of many messages; what is older is read from the journal again. */
const MAX_ENTRIES = 65_536;
const MAX_BYTES = 16_777_216;
/** What an entry takes beside its body, about. */
const ENTRY_BYTES = 200;
/** So many that have left stay in the array, at least, before it is cut. */
const LEFT_IN_ARRAY = 1_024;

/** Entries in the order of their places, without a gap; the oldest leave when there are too many. */
export class SharedRing {
  /** Everything behind this place is here, up to `last`. */
  lost: number;
  /** The place of the last entry, or behind which the first one will stand. */
  last: number;
  /** Those before `#start` have left. */
  #entries: SharedEntry[] = [];
  #start = 0;
  #bytes = 0;

  /** @param behind - The place behind which it begins. */
  constructor(behind: number) {
    this.lost = this.last = behind;
  }

  /** Memory that it holds, about. */
  get bytes(): number {
    return this.#bytes;
  }

  add(entry: SharedEntry): void {
    this.#entries.push(entry);
    this.last = entry.place;
    this.#bytes += ENTRY_BYTES + entry.body.length;
    while (this.#entries.length - this.#start > MAX_ENTRIES || this.#bytes > MAX_BYTES) this.#dropFirst();
  }

  /** The entries behind a place that is not lost, one after the other. */
  *behind(place: number): Generator<SharedEntry> {
    for (let at = this.#indexBehind(place); at < this.#entries.length; at += 1) yield this.#entries[at] as SharedEntry;
  }

  /** Where the first entry behind a place stands. */
  #indexBehind(place: number): number {
    let low = this.#start;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as SharedEntry).place > place) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #dropFirst(): void {
    const { place, body } = this.#entries[this.#start] as SharedEntry;
    this.lost = place;
    this.#bytes -= ENTRY_BYTES + body.length;
    this.#start += 1;
    if (this.#start < LEFT_IN_ARRAY || this.#start * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#start);
    this.#start = 0;
  }
}
