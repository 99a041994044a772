/** Messages that wait for room to be sent, packed, and the promises of those who await them. */

import { HELD } from "../../../core/held-bytes.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { handled } from "../../operation/handled-rejection.ts";
import { PackedQueue, WITH_TIME } from "./packed-queue.ts";

/** Kinds: nobody waits for the message; or somebody does. */
const POSTED = 0 | WITH_TIME;
const AWAITED = 1 | WITH_TIME;
/** Places at the front of the list are given back when there are so many, and they are half of it. */
const SPARE_PLACES = 64;

interface Sender {
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
