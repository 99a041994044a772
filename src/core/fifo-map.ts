/** A map whose oldest entry is found at once. */

/**
 * Entries in the order in which they came, any of which may leave. A `Map` keeps that order too, but it leaves gaps where
 * entries were, and whoever asks for its first one again and again walks over all gaps each time: with 10,000 entries that
 * is 20 microseconds, which a peer could have for one frame.
 */
export class FifoMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  /** Stands behind `#first`; it goes on behind what is added later. Undefined when it has come to the end. */
  #rest: MapIterator<Key> | undefined;
  #first: Key | undefined;
  #hasFirst = false;

  /** Entries. */
  get size(): number {
    return this.#entries.size;
  }

  /** The key that came first; undefined when there is none. */
  first(): Key | undefined {
    while (!this.#hasFirst && this.#entries.size > 0) {
      this.#rest ??= this.#entries.keys();
      const { done, value } = this.#rest.next();
      if (done === true) this.#rest = undefined;
      else {
        this.#first = value;
        this.#hasFirst = true;
      }
    }
    return this.#first;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  /** Puts an entry at the end. One that is there keeps its place. */
  add(key: Key, value: Value): void {
    this.#entries.set(key, value);
  }

  /** Takes an entry out; answers whether it was there. */
  delete(key: Key): boolean {
    if (!this.#entries.delete(key)) return false;
    if (this.#hasFirst && this.#first === key) {
      this.#first = undefined;
      this.#hasFirst = false;
    }
    return true;
  }

  /** The keys, the oldest first. */
  keys(): IterableIterator<Key> {
    return this.#entries.keys();
  }
}
