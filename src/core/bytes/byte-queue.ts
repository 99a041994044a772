/**
 * A first-in first-out queue of bytes: what a peer has sent and nobody has read yet.
 *
 * Bytes that are appended are copied, so that the caller may reuse its buffer at once. Blocks grow with the bytes that
 * are held, never with bytes that were promised: a peer that sends single bytes costs at most about twice those bytes,
 * and a block is released as soon as its last byte is taken.
 */

import { lastingCopy, lastingMemory } from "./own-bytes.ts";

interface Block {
  readonly bytes: Buffer;
  start: number;
  end: number;
}

const SMALLEST_BLOCK_BYTES = 512;
const LARGEST_SPARE_BYTES = 65_536;
/** Below this share of its block, a piece is copied out, so that 20 bytes do not pin 64 KiB. */
const PIN_RATIO = 2;

/** A queue of bytes. Time is linear in the bytes plus the calls, however the bytes were cut. */
export class ByteQueue {
  #blocks: Block[] = [];
  #head = 0;
  #length = 0;

  /** Bytes in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Copies `bytes` to the end of the queue. */
  append(bytes: Uint8Array): void {
    let from = 0;
    const tail = this.#blocks[this.#blocks.length - 1];
    if (tail !== undefined && this.#head < this.#blocks.length) {
      from = Math.min(tail.bytes.length - tail.end, bytes.length);
      if (from > 0) tail.bytes.set(from === bytes.length ? bytes : bytes.subarray(0, from), tail.end);
      tail.end += from;
    }
    const rest = bytes.length - from;
    if (rest > 0) {
      const spare = Math.min(LARGEST_SPARE_BYTES, Math.max(SMALLEST_BLOCK_BYTES, this.#length));
      const block = Buffer.allocUnsafeSlow(Math.max(rest, spare));
      block.set(from === 0 ? bytes : bytes.subarray(from), 0);
      this.#blocks.push({ bytes: block, start: 0, end: rest });
    }
    this.#length += bytes.length;
  }

  /** Puts `bytes` back at the front, as when a reader gives up what it has not decoded. */
  unshift(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const block = Buffer.allocUnsafeSlow(bytes.length);
    block.set(bytes, 0);
    this.#blocks.splice(0, this.#head, { bytes: block, start: 0, end: bytes.length });
    this.#head = 0;
    this.#length += bytes.length;
  }

  /** Takes the first contiguous bytes, at most `maxBytes` of them; undefined when the queue is empty. */
  shift(maxBytes: number): Buffer | undefined {
    const block = this.#blocks[this.#head];
    if (block === undefined) return undefined;
    return this.#takeFrom(block, Math.min(maxBytes, block.end - block.start));
  }

  /** A view of the first contiguous bytes, which stay in the queue; valid until they leave it. Undefined when it is empty. */
  peek(): Buffer | undefined {
    const block = this.#blocks[this.#head];
    return block?.bytes.subarray(block.start, block.end);
  }

  /** Drops `count` of the bytes that `peek` showed. After `clear` it does nothing. */
  skip(count: number): void {
    const block = this.#blocks[this.#head];
    if (block !== undefined) this.#advance(block, count);
  }

  /** Takes exactly `count` bytes, which must be there. */
  take(count: number): Buffer {
    const block = this.#blocks[this.#head];
    if (block !== undefined && block.end - block.start >= count) return this.#takeFrom(block, count);
    const out = lastingMemory(count);
    this.copyTo(out);
    return out;
  }

  /** Moves bytes into `target` until it is full or the queue is empty; answers how many. */
  copyTo(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length) {
      const block = this.#blocks[this.#head];
      if (block === undefined) break;
      const count = Math.min(target.length - filled, block.end - block.start);
      target.set(block.bytes.subarray(block.start, block.start + count), filled);
      filled += count;
      this.#advance(block, count);
    }
    return filled;
  }

  /** Where `delimiter` (not empty) first begins at or after `from`; -1 when it is not there. */
  indexOf(delimiter: Uint8Array, from: number): number {
    let base = 0;
    for (let index = this.#head; index < this.#blocks.length; index += 1) {
      const block = this.#blocks[index] as Block;
      const size = block.end - block.start;
      const found = this.#indexInBlock(block, index, delimiter, Math.max(0, from - base));
      if (found !== -1) return base + found;
      base += size;
    }
    return -1;
  }

  /** Forgets everything. */
  clear(): void {
    this.#blocks = [];
    this.#head = 0;
    this.#length = 0;
  }

  #takeFrom(block: Block, count: number): Buffer {
    const view = block.bytes.subarray(block.start, block.start + count);
    const bytes = count * PIN_RATIO < block.bytes.length ? lastingCopy(view) : view;
    this.#advance(block, count);
    return bytes;
  }

  #advance(block: Block, count: number): void {
    block.start += count;
    this.#length -= count;
    if (block.start < block.end) return;
    this.#blocks[this.#head] = undefined as unknown as Block;
    this.#head += 1;
    if (this.#head === this.#blocks.length) this.#blocks.length = this.#head = 0;
    else if (this.#head >= 32 && this.#head * 2 >= this.#blocks.length) {
      this.#blocks.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** The first match that begins in `block` at `from` or later, also one that runs on into the next blocks. */
  #indexInBlock(block: Block, index: number, delimiter: Uint8Array, from: number): number {
    const size = block.end - block.start;
    if (from >= size) return -1;
    const written = block.bytes.subarray(block.start, block.end);
    const whole = written.indexOf(delimiter, from);
    if (whole !== -1) return whole;
    for (let start = Math.max(from, size - delimiter.length + 1); start < size; start += 1) {
      if (this.#matchesAcross(index, start, delimiter)) return start;
    }
    return -1;
  }

  #matchesAcross(index: number, start: number, delimiter: Uint8Array): boolean {
    let block = this.#blocks[index];
    let at = start + (block?.start ?? 0);
    for (const byte of delimiter) {
      while (block !== undefined && at >= block.end) {
        index += 1;
        block = this.#blocks[index];
        at = block?.start ?? 0;
      }
      if (block === undefined || block.bytes[at] !== byte) return false;
      at += 1;
    }
    return true;
  }
}
