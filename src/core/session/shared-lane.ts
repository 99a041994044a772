/**
 * What is said to many sessions: messages without a number, which name their place in the log of the server's journal. They have a
 * window of their own, counted anew on each connection, as what is lost with a connection is taken from the log again.
 */

import { SendCredit } from "./credit.ts";
import { HEAD_BYTES, LENGTH_BYTES, PLACE, SHARED, SHARED_HEAD_BYTES, writeU16, writeU64 } from "./wire/frame-types.ts";

/** The place of a message that stands in no log: it may be lost. */
export const VOLATILE_PLACE = 0;
/** So much waits for the connection; the rest stays in the log, so that a client that reads nothing costs little. */
const MAX_WAITING_BYTES = 16_384;

/** The frame of a shared message. It is the same for all sessions that know the method by the same number. */
export function sharedFrame(place: number, method: number, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(SHARED_HEAD_BYTES + body.length);
  frame.writeUInt32BE(frame.length - LENGTH_BYTES, 0);
  frame[LENGTH_BYTES] = SHARED;
  writeU64(frame, place, HEAD_BYTES);
  writeU16(frame, method, HEAD_BYTES + 8);
  frame.set(body, SHARED_HEAD_BYTES);
  return frame;
}

/** The server's side on one connection. */
export class SharedOutput {
  readonly #credit: SendCredit;
  #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #isRefused = false;

  /** @param windowBytes - What may be sent before the client says more. */
  constructor(windowBytes: number) {
    this.#credit = new SendCredit(windowBytes);
  }

  /** Memory of what waits. */
  get heldBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether there is room, as far as is known: false from a refusal until there is some. */
  get mayTake(): boolean {
    return !this.#isRefused || this.#isOpen;
  }

  get #isOpen(): boolean {
    return this.#credit.open && this.#waitingBytes < MAX_WAITING_BYTES;
  }

  /** Sends a frame; false when there is no room. */
  say(frame: Uint8Array): boolean {
    this.#isRefused = !this.#isOpen;
    if (this.#isRefused) return false;
    this.#credit.sent += frame.length;
    this.#push(frame);
    return true;
  }

  /** Sends a message that may be lost, which counts in no window; false when there is no room. */
  sayVolatile(frame: Uint8Array): boolean {
    if (this.#waitingBytes >= MAX_WAITING_BYTES) return false;
    this.#push(frame);
    return true;
  }

  /** Tells that there is nothing for this client up to a place, but for what was said. */
  tell(place: number): void {
    const frame = Buffer.allocUnsafe(HEAD_BYTES + 8);
    frame.writeUInt32BE(9, 0);
    frame[LENGTH_BYTES] = PLACE;
    writeU64(frame, place, HEAD_BYTES);
    this.#push(frame);
  }

  /** The client allows more. */
  raise(limitBytes: number): void {
    this.#credit.raise(limitBytes);
  }

  /** Takes what is to be written. */
  take(chunks: Uint8Array[]): void {
    for (const chunk of this.#chunks) chunks.push(chunk);
    this.#chunks = [];
    this.#waitingBytes = 0;
  }

  #push(frame: Uint8Array): void {
    this.#chunks.push(frame);
    this.#waitingBytes += frame.length;
  }
}

/** The client's side, over all connections of a session. */
export class SharedInput {
  /** Everything up to here was received, or was not for this client; undefined while the server has named no place. */
  place: number | undefined;
  readonly #windowBytes: number;
  #limit: number;
  /** Bytes that came on this connection, and how many of these are handled. */
  #received = 0;
  #handled = 0;
  /** Bytes that came on connections before, and are not handled. */
  #carried = 0;

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
    this.#limit = windowBytes;
  }

  get heldBytes(): number {
    return this.#carried + this.#received - this.#handled;
  }

  get #nextLimit(): number {
    return Math.max(0, this.#windowBytes - this.#carried) + this.#handled;
  }

  /** Whether the server should be told that it may send more: when half a window is free. */
  get due(): boolean {
    return (this.#nextLimit - this.#limit) * 2 >= this.#windowBytes;
  }

  /** Whether a message is new, and not one that came before. It moves the place on. */
  reach(place: number): boolean {
    const isNew = this.place === undefined || place > this.place;
    if (isNew) this.place = place;
    return isNew;
  }

  /** Counts bytes that came; answers whether the server was allowed to send them. */
  take(bytes: number): boolean {
    const allowed = this.#received < this.#limit;
    this.#received += bytes;
    return allowed;
  }

  /** Counts bytes that are handled, the oldest first. */
  use(bytes: number): void {
    const before = Math.min(this.#carried, bytes);
    this.#carried -= before;
    this.#handled += bytes - before;
  }

  /** The session goes on over another connection: the server sends nothing before it is told the limit. */
  restart(): void {
    this.#carried = this.heldBytes;
    this.#received = this.#handled = 0;
  }

  /** Allows what there is room for; answers the limit. */
  grant(): number {
    this.#limit = this.#nextLimit;
    return this.#limit;
  }
}
