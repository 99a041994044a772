/** How much memory each session of a server holds for messages, and who must make room when it is too much. */

import { Heap, type HeapMember } from "../../heap.ts";

/** Whose a session is: what all sessions of one owner hold is looked at together. */
export interface MemoryOwner {
  /** Names the owner. */
  readonly key: string;
  /** Whether the bound of one principal holds for it. */
  readonly isPrincipal: boolean;
}

/** Bounds of a {@link HeldMemory}, in bytes. */
export interface HeldBounds {
  /** Of one principal. */
  readonly maxBytesPerPrincipal: number;
}

/** A session that holds something. */
interface Holder extends HeapMember {
  readonly id: string;
  readonly share: Share;
  bytes: number;
  detached: boolean;
}

/** What one owner has. */
interface Share extends HeapMember {
  readonly owner: MemoryOwner;
  bytes: number;
  readonly attached: Heap<Holder>;
  readonly detached: Heap<Holder>;
}

/** The largest comes first. */
function bySize<T extends HeapMember & { readonly bytes: number }>(): Heap<T> {
  return new Heap<T>((one, other) => one.bytes > other.bytes);
}

/**
 * Knows of the sessions that hold something. Each change costs the logarithm of their number, and so does the question who
 * must go; those that hold nothing are never asked to.
 */
export class HeldMemory {
  /** What all sessions hold. */
  bytes = 0;
  readonly #maxBytesPerPrincipal: number;
  readonly #holders: Map<string, Holder> = new Map();
  readonly #shares: Map<string, Share> = new Map();
  readonly #largest: Heap<Share> = bySize();

  constructor({ maxBytesPerPrincipal }: HeldBounds) {
    this.#maxBytesPerPrincipal = maxBytesPerPrincipal;
  }

  /** A session holds so many bytes now. */
  hold(id: string, owner: MemoryOwner, bytes: number, detached: boolean): void {
    if (bytes === 0) this.forget(id);
    else {
      const holder = this.#holders.get(id) ?? this.#add(id, owner);
      this.#count(holder.share, bytes - holder.bytes);
      holder.bytes = bytes;
      this.#place(holder, detached);
    }
  }

  /** A session has lost its connection, or has one again. */
  move(id: string, detached: boolean): void {
    const holder = this.#holders.get(id);
    if (holder !== undefined) this.#place(holder, detached);
  }

  /** A session holds nothing any more. */
  forget(id: string): void {
    const holder = this.#holders.get(id);
    if (holder === undefined) return;
    const { share } = holder;
    this.#holders.delete(id);
    (holder.detached ? share.detached : share.attached).remove(holder);
    this.#count(share, -holder.bytes);
    if (share.attached.size + share.detached.size > 0) return;
    this.#shares.delete(share.owner.key);
    this.#largest.remove(share);
  }

  /**
   * The session that must go, so that all fit into `maxBytes`, and those of the principal of `id` into its bound. Undefined
   * when they do. Otherwise it is one of the owner that holds the most: its largest detached session, unless that holds less
   * than the sessions of this owner do on average; else its largest one.
   */
  surplus(id: string, maxBytes: number): string | undefined {
    const own = this.#holders.get(id)?.share;
    if (own?.owner.isPrincipal === true && own.bytes > this.#maxBytesPerPrincipal) return largestOf(own);
    const { first } = this.#largest;
    return this.bytes > maxBytes && first !== undefined ? largestOf(first) : undefined;
  }

  #add(id: string, owner: MemoryOwner): Holder {
    const share = this.#shares.get(owner.key) ?? {
      owner,
      bytes: 0,
      heapIndex: -1,
      attached: bySize<Holder>(),
      detached: bySize<Holder>(),
    };
    this.#shares.set(owner.key, share);
    const holder: Holder = { id, share, bytes: 0, detached: false, heapIndex: -1 };
    this.#holders.set(id, holder);
    return holder;
  }

  #place(holder: Holder, detached: boolean): void {
    const { share } = holder;
    if (holder.detached !== detached) {
      (holder.detached ? share.detached : share.attached).remove(holder);
      holder.detached = detached;
    }
    (detached ? share.detached : share.attached).place(holder);
  }

  #count(share: Share, bytes: number): void {
    share.bytes += bytes;
    this.bytes += bytes;
    this.#largest.place(share);
  }
}

function largestOf({ attached, detached, bytes }: Share): string | undefined {
  const { first } = detached;
  const isWorthwhile = first !== undefined && first.bytes * (attached.size + detached.size) >= bytes;
  return isWorthwhile ? first.id : attached.first?.id;
}
