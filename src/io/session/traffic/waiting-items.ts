/** Items of a stream that wait for room to be sent, and whoever waits for them. */

import { UsageError } from "../../../core/errors.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { PackedSends } from "./packed-sends.ts";
import { mayHold, type SessionPartOwner } from "./owner.ts";

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
