/** Messages that wait: for their handlers, to be read from a stream, or to be sent. Packed into few pieces of memory. */

import { copyBytes } from "../../../core/bytes/byte-range.ts";
import { readU16, writeU16 } from "../../../core/session/wire/frame-types.ts";

/** Bits of a kind: the message has a number in its session, an id, or a time. */
export const WITH_NUMBER = 0x20;
export const WITH_ID = 0x40;
export const WITH_TIME = 0x80;

/** kind u8, method u16, length u32; then number f64, id u32 and time f64, where the kind says so. */
const HEAD_BYTES = 7;
const NUMBER_BYTES = 8;
const ID_BYTES = 4;
const TIME_BYTES = 8;
/** A block of this size is kept when the queue is empty. */
const SMALLEST_BLOCK_BYTES = 512;
const LARGEST_BLOCK_BYTES = 65_536;
/** A message above this size that finds no room has a block of its own, so that little of a block stays unused. */
const LARGEST_SHARED_BYTES = 4096;
const NO_BYTES: Buffer = Buffer.alloc(0);

interface Block {
  readonly bytes: Buffer;
  /** Bytes that are written. */
  end: number;
}

/**
 * A queue of messages. A peer decides how many wait here and how small they are, so none of them is an object: an event, a
 * call or an item takes about as much memory as its frame on the wire, for which the credit of its sender is spent. The
 * fields are those of the message that was looked at or taken last.
 */
export class PackedQueue {
  kind = 0;
  method = 0;
  number = 0;
  id = 0;
  time: number = Infinity;
  /** The body: `bytes[start, end)`. Keep `bytes` if you `drop` before you use it; what is in it stays until the next `push`. */
  bytes: Buffer = NO_BYTES;
  start = 0;
  end = 0;
  /** Messages that wait. */
  size = 0;
  /** The number of the message that is first; no two have the same. */
  turn = 0;
  /** Bytes of the messages that wait, packed. */
  packedBytes = 0;
  /** Memory that is held: `packedBytes`, and what the first and the last block have beside them. */
  heldBytes = 0;
  #blocks: Block[] = [];
  /** Where the first message stands in the first block. */
  #head = 0;

  /** The number that the next message to be pushed gets. */
  get nextTurn(): number {
    return this.turn + this.size;
  }

  /** What a message takes. */
  static bytesOf(kind: number, bodyBytes: number): number {
    return headOf(kind) + bodyBytes;
  }

  /** Puts a message at the end; the body is copied. `id`, `time` and `number` are kept if the kind says so. */
  push(
    kind: number,
    method: number,
    id: number,
    time: number,
    body: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
    number = 0,
  ): void {
    const bodyBytes = body.end - body.start;
    const count = headOf(kind) + bodyBytes;
    const block = this.#blockFor(count);
    const target = block.bytes;
    let at = block.end;
    block.end += count;
    target[at] = kind;
    writeU16(target, method, at + 1);
    target.writeUInt32BE(bodyBytes, at + 3);
    at += HEAD_BYTES;
    if ((kind & WITH_NUMBER) !== 0) at = target.writeDoubleBE(number, at);
    if ((kind & WITH_ID) !== 0) at = target.writeUInt32BE(id, at);
    if ((kind & WITH_TIME) !== 0) at = target.writeDoubleBE(time, at);
    copyBytes(body.bytes, body.start, body.end, target, at);
    this.size += 1;
    this.packedBytes += count;
  }

  /** Looks at the first message; false when there is none. */
  peek(): boolean {
    if (this.size === 0) return false;
    const { bytes } = this.#blocks[0] as Block;
    const kind = bytes[this.#head] as number;
    const method = readU16(bytes, this.#head + 1);
    const bodyBytes = bytes.readUInt32BE(this.#head + 3);
    let at = this.#head + HEAD_BYTES;
    this.kind = kind;
    this.method = method;
    this.number = 0;
    this.id = 0;
    this.time = Infinity;
    if ((kind & WITH_NUMBER) !== 0) {
      this.number = bytes.readDoubleBE(at);
      at += NUMBER_BYTES;
    }
    if ((kind & WITH_ID) !== 0) {
      this.id = bytes.readUInt32BE(at);
      at += ID_BYTES;
    }
    if ((kind & WITH_TIME) !== 0) {
      this.time = bytes.readDoubleBE(at);
      at += TIME_BYTES;
    }
    this.bytes = bytes;
    this.start = at;
    this.end = at + bodyBytes;
    return true;
  }

  /** Takes the message out that `peek` has looked at. */
  drop(): void {
    const block = this.#blocks[0] as Block;
    this.packedBytes -= this.end - this.#head;
    this.#head = this.end;
    this.size -= 1;
    this.turn += 1;
    if (this.#head < block.end) return;
    this.#head = 0;
    if (this.size === 0 && block.bytes.length === SMALLEST_BLOCK_BYTES) block.end = 0;
    else this.#leave();
  }

  /** Forgets everything. */
  clear(): void {
    this.turn += this.size;
    this.size = this.packedBytes = this.heldBytes = this.#head = 0;
    this.#blocks = [];
    this.bytes = NO_BYTES;
  }

  #blockFor(count: number): Block {
    const last = this.#blocks[this.#blocks.length - 1];
    if (last !== undefined && last.end + count <= last.bytes.length) return last;
    // One that was kept for a small message, and is too small for this one.
    if (last?.end === 0) this.#leave();
    const usual = Math.min(LARGEST_BLOCK_BYTES, Math.max(SMALLEST_BLOCK_BYTES, count, this.packedBytes));
    const bytes = Buffer.allocUnsafeSlow(count > LARGEST_SHARED_BYTES ? count : usual);
    const block = { bytes, end: 0 };
    this.#blocks.push(block);
    this.heldBytes += bytes.length;
    return block;
  }

  #leave(): void {
    this.bytes = NO_BYTES;
    this.heldBytes -= (this.#blocks.shift() as Block).bytes.length;
  }
}

function headOf(kind: number): number {
  const numberBytes = (kind & WITH_NUMBER) === 0 ? 0 : NUMBER_BYTES;
  return (
    HEAD_BYTES + numberBytes + ((kind & WITH_ID) === 0 ? 0 : ID_BYTES) + ((kind & WITH_TIME) === 0 ? 0 : TIME_BYTES)
  );
}
