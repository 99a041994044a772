/** The open streams of a session, with the credit of each. */

import type { ControlFrames } from "./wire/control-frames.ts";
import { ReceiveCredit, SendCredit } from "./credit.ts";

/** One stream. */
export interface StreamEntry {
  readonly id: number;
  /** Whether this side opened it. */
  readonly own: boolean;
  /** Whether this side may still send items. */
  sending: boolean;
  /** Whether the peer may still send items. */
  receiving: boolean;
  readonly sendCredit: SendCredit;
  readonly receiveCredit: ReceiveCredit;
  /** An item was not taken for lack of credit; `streamWritable` is due when there is some. */
  blocked: boolean;
  /** The number of the message that opened it; 0 when the peer did. */
  readonly number: number;
  readonly method: number;
}

/** What is known of a stream when it is opened. */
export type OpenedStream = Pick<StreamEntry, "id" | "own" | "sending" | "receiving" | "number" | "method">;

/** The streams that are open, by their id. */
export class StreamTable {
  readonly #entries: Map<number, StreamEntry> = new Map();
  readonly #sendWindowBytes: number;
  readonly #receiveWindowBytes: number;
  /** Streams whose peer should be told that it may send more. */
  #due: Set<number> | undefined;
  #own = 0;

  /**
   * @param sendWindowBytes - What the peer is ready to receive in one stream.
   * @param receiveWindowBytes - What this side is ready to receive in one stream.
   */
  constructor(sendWindowBytes: number, receiveWindowBytes: number) {
    this.#sendWindowBytes = sendWindowBytes;
    this.#receiveWindowBytes = receiveWindowBytes;
  }

  /** Streams that this side opened, and streams that the peer opened. */
  get own(): number {
    return this.#own;
  }
  get foreign(): number {
    return this.#entries.size - this.#own;
  }

  /** Whether `grantDue` has something to say. */
  get due(): boolean {
    return this.#due !== undefined;
  }

  get(id: number): StreamEntry | undefined {
    return this.#entries.get(id);
  }

  values(): Iterable<StreamEntry> {
    return this.#entries.values();
  }

  open(entry: OpenedStream): void {
    const { id, own, sending, receiving, number, method } = entry;
    const sendCredit = new SendCredit(this.#sendWindowBytes);
    const receiveCredit = new ReceiveCredit(this.#receiveWindowBytes);
    // Field by field: to spread an object costs a peer nothing and this side a microsecond.
    this.#entries.set(id, { id, own, sending, receiving, number, method, blocked: false, sendCredit, receiveCredit });
    if (own) this.#own += 1;
  }

  /** Forgets a stream at once. Answers whether it was there. */
  drop(id: number): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id);
    if (entry.own) this.#own -= 1;
    return true;
  }

  /** Forgets a stream when both directions have ended. */
  dropEnded(entry: StreamEntry): void {
    if (!entry.sending && !entry.receiving) this.drop(entry.id);
  }

  /** Counts bytes of items that were handled. */
  use(id: number, bytes: number): void {
    const credit = this.#entries.get(id)?.receiveCredit;
    credit?.use(bytes);
    if (credit?.due !== true) return;
    this.#due ??= new Set();
    this.#due.add(id);
  }

  /** Tells the peer of every stream that it may send more in, if it is time. */
  grantDue(control: ControlFrames): void {
    if (this.#due === undefined) return;
    for (const id of this.#due) this.#grant(this.#entries.get(id), control);
    this.#due = undefined;
  }

  /** Tells the peer of every stream how much it may send, as on a new connection. */
  grantAll(control: ControlFrames): void {
    for (const entry of this.#entries.values()) this.#grant(entry, control);
  }

  #grant(entry: StreamEntry | undefined, control: ControlFrames): void {
    if (entry?.receiving === true) control.credit(entry.id, entry.receiveCredit.grant());
  }

  clear(): void {
    this.#entries.clear();
    this.#own = 0;
  }
}
