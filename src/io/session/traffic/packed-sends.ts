/** Messages that wait for room to be sent, packed, and the promises of those who await them. */

import { UsageError } from "../../../core/errors.ts";
import { HELD } from "../../../core/held-bytes.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { handled } from "../../operation/handled-rejection.ts";
import { mayHold, type SessionPartOwner } from "./owner.ts";
import { PackedQueue, WITH_TIME } from "./packed-queue.ts";

const ignore = (): void => undefined;

/** Kinds: nobody waits for the message; or somebody does. */
const POSTED = 0 | WITH_TIME;
const AWAITED = 1 | WITH_TIME;
/** Places at the front of the list are given back when there are so many, and they are half of it. */
const SPARE_PLACES = 64;

/** Who waits until its message is sent. */
export interface Sender {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** A queue of messages to be sent, in order. */
export class PackedSends {
  /** The messages; after `peek` its fields are those of the first one. */
  readonly queue: PackedQueue = new PackedQueue();
  /** Those who wait, in the order of their messages. */
  #senders: (Sender | undefined)[] = [];
  #next = 0;

  /** Messages that wait. */
  get size(): number {
    return this.queue.size;
  }

  /** What they pin, without what the blocks have beside them. */
  get bytes(): number {
    return this.queue.packedBytes + this.#waiting * HELD.sender;
  }

  /** Memory that is held. */
  get heldBytes(): number {
    return this.queue.heldBytes + this.#waiting * HELD.sender;
  }

  /** When the first message was put in; Infinity when there is none. */
  get oldestAt(): number {
    return this.queue.peek() ? this.queue.time : Infinity;
  }

  get #waiting(): number {
    return this.#senders.length - this.#next;
  }

  /** What a message adds to `bytes`. */
  static bytesOf(bodyBytes: number, awaited: boolean): number {
    return PackedQueue.bytesOf(POSTED, bodyBytes) + (awaited ? HELD.sender : 0);
  }

  /** Puts a message at the end for which nobody waits. The body is copied. */
  post(method: number, body: BodyPlace, now: number): void {
    this.queue.push(POSTED, method, 0, now, body);
  }

  /** Puts a message at the end; resolves when it is sent. */
  push(method: number, body: BodyPlace, now: number): Promise<void> {
    let resolve = (): void => undefined;
    let reject = (_reason: unknown): void => undefined;
    const promise = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    this.queue.push(AWAITED, method, 0, now, body);
    this.#senders.push({ promise, resolve, reject });
    return promise;
  }

  /** The first message was sent, or is dropped. */
  shift(): void {
    this.#take()?.resolve();
  }

  /** The first message will never be sent. Answers whether somebody awaits it. */
  refuse(reason: unknown): boolean {
    const sender = this.#take();
    if (sender === undefined) return false;
    // Whoever does not look at it must not be ended by it.
    void handled(sender.promise);
    sender.reject(reason);
    return true;
  }

  /** Offers the first message and its sender to `take`; it stays when that answers false. */
  handOver(take: (sender: Sender | undefined) => boolean): boolean {
    const sender = this.queue.kind === AWAITED ? this.#senders[this.#next] : undefined;
    if (!take(sender)) return false;
    void this.#take()?.promise.catch(ignore);
    return true;
  }

  #take(): Sender | undefined {
    const { kind } = this.queue;
    this.queue.drop();
    if (kind !== AWAITED) return undefined;
    const sender = this.#senders[this.#next];
    this.#senders[this.#next] = undefined;
    this.#next += 1;
    if (this.#next >= SPARE_PLACES && this.#next * 2 >= this.#senders.length) {
      this.#senders = this.#senders.slice(this.#next);
      this.#next = 0;
    }
    return sender;
  }
}

/** Items that may wait without being awaited, and the memory that they pin. */
const MAX_ITEMS = 16_384;
const MAX_BYTES = 16_777_216;

/** The items of one stream that wait, in order. */
export class WaitingItems {
  readonly #sends: PackedSends = new PackedSends();
  /** Told of each change of the memory that is held. */
  readonly #onBytes: (bytes: number) => void;
  #heldBytes = 0;

  constructor(onBytes: (bytes: number) => void) {
    this.#onBytes = onBytes;
  }

  /** Whether none waits. */
  get isEmpty(): boolean {
    return this.#sends.size === 0;
  }

  /** Puts a copy of an item behind the others. Resolves when it is sent. @throws UsageError `QUEUE_FULL`. */
  push(
    body: BodyPlace,
    op: string,
    owner: Pick<SessionPartOwner, "heldBytes" | "settings" | "turnTime">,
  ): Promise<void> {
    const { size, bytes } = this.#sends;
    const more = PackedSends.bytesOf(body.end - body.start, true);
    if (size > 0 && (size >= MAX_ITEMS || bytes + more > MAX_BYTES || !mayHold(owner, more))) {
      const detail = `${size} items, which take ${bytes} bytes, wait already; await each one`;
      throw new UsageError("QUEUE_FULL", { op, detail, outcome: "none" });
    }
    const sent = this.#sends.push(0, body, owner.turnTime());
    this.#count();
    return sent;
  }

  /** Sends those for which there is room; `send` answers false when there is none. Throws what it throws. */
  flush(send: (body: BodyPlace) => boolean): void {
    const { queue } = this.#sends;
    try {
      while (queue.peek() && send(queue)) this.#sends.shift();
    } finally {
      this.#count();
    }
  }

  /** They will never be sent. */
  reject(reason: unknown): void {
    while (this.#sends.queue.peek()) this.#sends.refuse(reason);
    this.#count();
  }

  #count(): void {
    // The stream may be over.
    if (this.isEmpty) this.#sends.queue.clear();
    const { heldBytes } = this.#sends;
    this.#onBytes(heldBytes - this.#heldBytes);
    this.#heldBytes = heldBytes;
  }
}
