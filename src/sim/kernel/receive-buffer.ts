/** What has arrived on a connection: bytes in order for the program, and stretches that arrived early. */

import { NO_SACKS, type SackBlock } from "./packet.ts";

interface Early {
  readonly from: number;
  readonly data: Buffer;
}

/** Most stretches that one acknowledgement names (RFC 2018 section 3). */
const MOST_SACKS = 3;

/** The receiving half of a connection, by sequence numbers. */
export class ReceiveBuffer {
  /** What is expected next. */
  next: number;
  /** Where the peer's FIN is, once it was seen. */
  finAt: number | undefined;
  readonly #capacity: number;
  #ready: Buffer[] = [];
  #readyBytes = 0;
  /** Ordered by `from`; none touches `next`. */
  #early: Early[] = [];

  constructor(next: number, capacityBytes: number) {
    this.next = next;
    this.#capacity = capacityBytes;
  }

  /** Bytes in order that nobody has read. */
  get readableBytes(): number {
    return this.#readyBytes;
  }

  /** Room from `next` on. What arrived early lies within it. */
  get window(): number {
    return Math.max(0, this.#capacity - this.#readyBytes);
  }

  /** All bytes up to the FIN have arrived, and the FIN. */
  get finished(): boolean {
    return this.finAt !== undefined && this.next > this.finAt;
  }

  /** Takes the bytes that begin at `from`; what is old, or beyond the window, is dropped. Answers how many are new in order. */
  insert(from: number, data: Buffer): number {
    const limit = this.next + this.window;
    const start = Math.max(from, this.next);
    const end = Math.min(from + data.length, limit);
    const before = this.#readyBytes;
    if (start < end) this.#keep(start, end - start === data.length ? data : data.subarray(start - from, end - from));
    this.#advance();
    return this.#readyBytes - before;
  }

  /** The stretches that arrived early, the lowest first. */
  sacks(): readonly SackBlock[] {
    if (this.#early.length === 0) return NO_SACKS;
    const blocks: [number, number][] = [];
    for (const { from, data } of this.#early) {
      const last = blocks[blocks.length - 1];
      if (last !== undefined && last[1] === from) last[1] += data.length;
      else blocks.push([from, from + data.length]);
    }
    return blocks.slice(0, MOST_SACKS);
  }

  /** Takes at most `maxBytes` for the program, from one segment; undefined when there are none. */
  read(maxBytes: number): Buffer | undefined {
    const first = this.#ready[0];
    if (first === undefined) return undefined;
    const piece = first.length <= maxBytes ? first : first.subarray(0, maxBytes);
    if (piece !== first) this.#ready[0] = first.subarray(maxBytes);
    // A new list holds no memory while the connection is idle.
    else if (this.#ready.length === 1) this.#ready = [];
    else this.#ready.shift();
    this.#readyBytes -= piece.length;
    return piece;
  }

  /** Forgets what nobody has read. */
  clear(): void {
    this.#ready = [];
    this.#readyBytes = 0;
    this.#early = [];
  }

  #keep(from: number, data: Buffer): void {
    if (from === this.next && this.#early.length === 0) return this.#deliver(data);
    // Cut away what is there already, piece by piece.
    let start = from;
    const end = from + data.length;
    const pieces: Early[] = [];
    for (const early of this.#early) {
      if (early.from >= end) break;
      if (start < early.from) pieces.push({ from: start, data: data.subarray(start - from, early.from - from) });
      start = Math.max(start, early.from + early.data.length);
    }
    if (start < end) pieces.push({ from: start, data: data.subarray(start - from) });
    this.#early = [...this.#early, ...pieces].sort((a, b) => a.from - b.from);
  }

  #advance(): void {
    while (this.#early[0]?.from === this.next) this.#deliver((this.#early.shift() as Early).data);
    if (this.finAt === this.next) this.next += 1;
  }

  #deliver(data: Buffer): void {
    this.#ready.push(data);
    this.#readyBytes += data.length;
    this.next += data.length;
  }
}
