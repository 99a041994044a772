/** Credit: how many bytes one side may send before the other has used what came. Totals only grow, so a lost one is harmless. */

/** So much at least may come again outside of the window: what an implementation keeps for that unless it is told otherwise. */
const LEAST_RESENT_BYTES = 1_048_576;

/**
 * On a session that another process goes on with, requests come again for which their sender had credit before. So many bytes of them
 * are outside of the new window, the message included with which it is reached; the others count.
 */
export function resentBytes(windowBytes: number): number {
  return Math.max(windowBytes, LEAST_RESENT_BYTES);
}

/** The sender's side of one window. */
export class SendCredit {
  /** Bytes sent in all. */
  sent = 0;
  /** Bytes that may be sent in all. */
  limit: number;

  /** @param windowBytes - What the receiver said in the handshake. */
  constructor(windowBytes: number) {
    this.limit = windowBytes;
  }

  /**
   * Whether a message may be sent. It may be longer than what is left: so a message that is longer than the whole window
   * can be sent too, and a window is exceeded by at most one message.
   */
  get open(): boolean {
    return this.sent < this.limit;
  }

  /** Both sides count anew, as on a session that another process goes on with: so much is under way. */
  restart(windowBytes: number, sent: number): void {
    this.limit = windowBytes;
    this.sent = sent;
  }

  /** The receiver allows more; answers whether that opens a window that was closed. */
  raise(limit: number): boolean {
    if (limit <= this.limit) return false;
    const wasOpen = this.open;
    this.limit = limit;
    return !wasOpen && this.open;
  }
}

/** The receiver's side of one window. */
export class ReceiveCredit {
  readonly #windowBytes: number;
  #received = 0;
  #used = 0;
  /** Bytes that came before both sides began to count anew, and are not used. */
  #before = 0;
  /** So many more bytes may come for which the peer had credit before. */
  #again = 0;
  /** What the peer may send in all, as this side has told it last. */
  #granted: number;

  /** @param windowBytes - What this side said in the handshake. */
  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
    this.#granted = windowBytes;
  }

  /** Bytes that came and are not used yet. */
  get heldBytes(): number {
    return this.#before + this.#received - this.#used;
  }

  /** Counts bytes that came; answers whether the peer was allowed to send them. */
  take(bytes: number): boolean {
    const allowed = this.#received < this.#granted;
    this.#received += bytes;
    return allowed;
  }

  /** The same for bytes for which the peer had credit before both sides began to count anew, as it says. */
  takeAgain(bytes: number): boolean {
    if (this.#again <= 0) return this.take(bytes);
    this.#again -= bytes;
    this.#before += bytes;
    return true;
  }

  /** Whether the peer should be told that it may send more: when half a window is free. */
  get due(): boolean {
    return (this.#used + this.#windowBytes - this.#granted) * 2 >= this.#windowBytes;
  }

  /** Counts bytes that were used, the oldest first. */
  use(bytes: number): void {
    this.#used += bytes;
    if (this.#before > 0) this.#useBefore(bytes);
  }

  #useBefore(bytes: number): void {
    const before = Math.min(this.#before, bytes);
    this.#before -= before;
    this.#used -= before;
  }

  /** Both sides count anew. */
  restart(): void {
    this.#before = this.heldBytes;
    this.#again = resentBytes(this.#windowBytes);
    this.#received = this.#used = 0;
    this.#granted = this.#windowBytes;
  }

  /** Allows a whole window from here; answers the new limit, to be told to the peer. */
  grant(): number {
    this.#granted = this.#used + this.#windowBytes;
    return this.#granted;
  }
}
