/** Messages that came and wait: for their handlers, or to be read from a stream. Packed into one piece of memory. */

import { copyBytes } from "../core/bytes/copy-bytes.ts";

/** kind u8, method u16, id u32, charge u32, length u32, deadline f64. */
const HEAD_BYTES = 23;
const FIRST_BYTES = 512;
/** A buffer up to this size is kept when the queue is empty. */
const KEPT_BYTES = 4096;
const NO_BYTES: Buffer = Buffer.alloc(0);

/**
 * A queue of messages. A peer decides how many wait here and how small they are, so none of them is an object: memory is the
 * bytes that came and 23 more for each. The fields are those of the message that was looked at or taken last.
 */
export class PackedQueue {
  kind = 0;
  method = 0;
  id = 0;
  chargeBytes = 0;
  deadline: number = Infinity;
  /** The body: `bytes[start, end)`, valid until the next `push` or `clear`. */
  start = 0;
  end = 0;
  /** Messages that wait. */
  size = 0;
  /** The number of the message that is first; no two have the same. */
  turn = 0;
  #bytes: Buffer = NO_BYTES;
  #head = 0;
  #tail = 0;

  /** Holds the bodies. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The number that the next message to be pushed gets. */
  get nextTurn(): number {
    return this.turn + this.size;
  }

  /** Memory that is held. */
  get heldBytes(): number {
    return this.#bytes.length;
  }

  /** Puts a message at the end; the body is copied. */
  push(
    message: {
      readonly kind: number;
      readonly method: number;
      readonly id: number;
      readonly chargeBytes: number;
      readonly deadline: number;
    },
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#reserve(HEAD_BYTES + end - start);
    const target = this.#bytes;
    const at = this.#tail;
    target[at] = message.kind;
    target.writeUInt16BE(message.method, at + 1);
    target.writeUInt32BE(message.id, at + 3);
    target.writeUInt32BE(message.chargeBytes, at + 7);
    target.writeUInt32BE(end - start, at + 11);
    target.writeDoubleBE(message.deadline, at + 15);
    copyBytes(bytes, start, end, target, at + HEAD_BYTES);
    this.#tail = at + HEAD_BYTES + end - start;
    this.size += 1;
  }

  /** Looks at the first message; false when there is none. */
  peek(): boolean {
    if (this.size === 0) return false;
    const bytes = this.#bytes;
    const at = this.#head;
    this.kind = bytes[at] as number;
    this.method = bytes.readUInt16BE(at + 1);
    this.id = bytes.readUInt32BE(at + 3);
    this.chargeBytes = bytes.readUInt32BE(at + 7);
    this.deadline = bytes.readDoubleBE(at + 15);
    this.start = at + HEAD_BYTES;
    this.end = this.start + bytes.readUInt32BE(at + 11);
    return true;
  }

  /** Takes the message out that `peek` has looked at. Its body stays where it is until the next `push`. */
  drop(): void {
    this.#head = this.end;
    this.size -= 1;
    this.turn += 1;
    if (this.size > 0) return;
    this.#head = this.#tail = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = NO_BYTES;
  }

  /** Forgets everything. */
  clear(): void {
    this.turn += this.size;
    this.size = this.#head = this.#tail = 0;
    this.#bytes = NO_BYTES;
  }

  #reserve(count: number): void {
    if (this.#tail + count <= this.#bytes.length) return;
    const used = this.#tail - this.#head;
    // Moving down is enough when half of the room is free: then each byte is moved a bounded number of times.
    const fits = (used + count) * 2 <= this.#bytes.length;
    const target = fits ? this.#bytes : Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, (used + count) * 2));
    this.#bytes.copy(target, 0, this.#head, this.#tail);
    this.#bytes = target;
    this.#head = 0;
    this.#tail = used;
  }
}
