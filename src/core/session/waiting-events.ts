/** Events that have no number yet, because there is no room for them (D.2). */

/**
 * What happens to an event when the queue is full. `block`: its sender waits. `strict`: it is refused. `drop-oldest`,
 * `drop-newest`: one that waits, or the new one, is dropped and counted. A message that has a number is never dropped.
 */
export type OverflowPolicy = "block" | "strict" | "drop-oldest" | "drop-newest";

/** Bounds of a {@link WaitingEvents}. */
export interface WaitingBounds {
  /** Most events. Default 1,024. */
  readonly maxEvents: number;
  /** Most bytes of their bodies. Default 1 MiB. */
  readonly maxBytes: number;
}

const DEFAULT_BOUNDS: WaitingBounds = { maxEvents: 1024, maxBytes: 1_048_576 };

interface Waiting<Item> {
  readonly item: Item;
  readonly bytes: number;
}

/**
 * A bounded queue with a policy. Use it only while `sendEvent` answers false, and before anything newer is sent, so that the
 * order is kept.
 */
export class WaitingEvents<Item> {
  readonly #policy: OverflowPolicy;
  readonly #bounds: WaitingBounds;
  #queue: Waiting<Item>[] = [];
  #head = 0;
  #bytes = 0;
  /** Events that were dropped. */
  dropped = 0;

  constructor(policy: OverflowPolicy, bounds: Partial<WaitingBounds> = {}) {
    this.#policy = policy;
    this.#bounds = { ...DEFAULT_BOUNDS, ...bounds };
  }

  /** Events that wait. */
  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** Bytes of their bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The event that is next; undefined when none waits. */
  get first(): Item | undefined {
    return this.#queue[this.#head]?.item;
  }

  /**
   * Takes an event in. `waits`: it is in the queue. `full`: it is not, because of `block` or `strict`; its sender waits, or
   * rejects with `QUEUE_FULL`. `dropped`: it is not, because of `drop-newest` or its size. `onDropped` gets each one that was
   * dropped for it.
   */
  offer(item: Item, bytes: number, onDropped: (item: Item) => void): "waits" | "full" | "dropped" {
    const { maxBytes } = this.#bounds;
    if (this.#policy === "drop-oldest" && bytes <= maxBytes) {
      while (!this.#fits(bytes)) onDropped(this.#drop());
    } else if (!this.#fits(bytes)) {
      if (this.#policy === "block" || this.#policy === "strict") return "full";
      this.dropped += 1;
      return "dropped";
    }
    this.#queue.push({ item, bytes });
    this.#bytes += bytes;
    return "waits";
  }

  /** Takes the first event out, because it has its number now. */
  shift(): Item | undefined {
    const waiting = this.#queue[this.#head];
    if (waiting === undefined) return undefined;
    this.#head += 1;
    this.#bytes -= waiting.bytes;
    if (this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return waiting.item;
  }

  #fits(bytes: number): boolean {
    const { maxEvents, maxBytes } = this.#bounds;
    return this.size < maxEvents && this.#bytes + bytes <= maxBytes;
  }

  #drop(): Item {
    this.dropped += 1;
    return this.shift() as Item;
  }
}
