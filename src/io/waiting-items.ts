/** Items of a stream that wait for room to be sent, and whoever waits for them. */

import { UsageError } from "../core/errors.ts";
import type { BodyPlace } from "../core/session/outgoing.ts";
import { handled } from "./handled-rejection.ts";
import { copyOfBody } from "./session-format.ts";

/** Items that may wait without being awaited, and their bytes. */
const MAX_ITEMS = 16_384;
const MAX_BYTES = 16_777_216;

interface WaitingItem {
  readonly body: BodyPlace;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** The items of one stream that wait, in order. */
export class WaitingItems {
  readonly #items: WaitingItem[] = [];
  /** Told of each change of the bytes that wait. */
  readonly #onBytes: (bytes: number) => void;
  #bytes = 0;

  constructor(onBytes: (bytes: number) => void) {
    this.#onBytes = onBytes;
  }

  /** Whether none waits. */
  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Puts a copy of an item behind the others. Resolves when it is sent. @throws UsageError `QUEUE_FULL`. */
  push(body: BodyPlace, op: string): Promise<void> {
    if (this.#items.length >= MAX_ITEMS || this.#bytes >= MAX_BYTES) {
      const detail = `${this.#items.length} items of ${this.#bytes} bytes wait already; await each one`;
      throw new UsageError("QUEUE_FULL", { op, detail, outcome: "none" });
    }
    let resolve = (): void => undefined;
    let reject = (_reason: unknown): void => undefined;
    const promise = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    const copy = copyOfBody(body);
    this.#items.push({ body: copy, promise, resolve, reject });
    this.#count(copy.end);
    return promise;
  }

  /** Sends those for which there is room; `send` answers false when there is none. Throws what it throws. */
  flush(send: (body: BodyPlace) => boolean): void {
    let sent = 0;
    try {
      for (const { body, resolve } of this.#items) {
        if (!send(body)) break;
        this.#count(-body.end);
        sent += 1;
        resolve();
      }
    } finally {
      this.#items.splice(0, sent);
    }
  }

  /** They will never be sent. */
  reject(reason: unknown): void {
    this.#count(-this.#bytes);
    for (const item of this.#items.splice(0)) {
      void handled(item.promise);
      item.reject(reason);
    }
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#onBytes(bytes);
  }
}
