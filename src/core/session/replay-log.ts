/**
 * The numbered messages of one direction, from the moment they get their number until the peer has acknowledged them. It is
 * the queue of what is to be sent and the buffer of what may have to be sent again: the same bytes, written once.
 */

import type { Gate } from "./gate.ts";
import { HEAD_BYTES, LENGTH_BYTES } from "./wire/frame-types.ts";

interface Block {
  readonly bytes: Buffer;
  /** The position of the first byte; positions count up over all blocks. */
  readonly base: number;
  /** Bytes that are written. */
  used: number;
}

const SMALLEST_BLOCK_BYTES = 1024;
const LARGEST_BLOCK_BYTES = 65_536;
const FIRST_CAPACITY = 16;
/** Blocks that are kept for the next messages while others are under way: as much as is retained by default, 1 MiB. */
const SPARE_BLOCKS = 16;
/** When nothing is retained, memory for so many numbers is kept for the next ones. */
const KEPT_CAPACITY = 4096;
/** Of its position and its time. */
const BYTES_A_NUMBER = 16;
const NO_BYTES: Buffer = Buffer.alloc(0);
const NO_NUMBERS: Float64Array = new Float64Array(0);

/** Where the frame of one message stands, with its head. The log has one such object and uses it again and again. */
export interface FramePlace {
  readonly bytes: Buffer;
  /** Where the frame begins. */
  readonly at: number;
}

/** The messages that are not acknowledged. Numbers begin with 1. */
export class ReplayLog {
  /** The log of every session that has sent nothing yet. Nothing is appended to it. */
  static readonly none: ReplayLog = new ReplayLog();

  /** The number of the last message. */
  last = 0;
  /** The number of the last message that was acknowledged. */
  acknowledged = 0;
  /** The number of the last message that was handed to the connection of now. */
  sent = 0;
  /** The highest number that was ever handed to a connection. */
  transmitted = 0;
  /** How far it may go; undefined for all. */
  gate: Gate | undefined = undefined;
  /** The block with the frame of the last message. */
  frameBytes: Buffer = NO_BYTES;
  readonly #blocks: Block[] = [];
  /** Positions: where the first message stands that is not acknowledged, and where the next one will. */
  #start = 0;
  #end = 0;
  readonly #place = { bytes: NO_BYTES, at: 0 };
  /** By number modulo their length: where the frame begins, and when it was written. */
  #positions: Float64Array = NO_NUMBERS;
  #times: Float64Array = NO_NUMBERS;
  /** Memory of the blocks, free space included. */
  #blockBytes = 0;
  #nextBlockBytes = SMALLEST_BLOCK_BYTES;
  /**
   * Memory of blocks whose messages are acknowledged, for the next blocks: new memory costs a fast sender up to a fifth of its time.
   * What a peer acknowledges it has received, so nothing is being written from there. No other session gets it: a peer can
   * acknowledge what it has not received.
   */
  #spare: Buffer[] | undefined;

  /**
   * A log that goes on with frames which were kept of another one. Any of them may have been handed to a connection.
   *
   * @throws RangeError when they are no whole frames.
   */
  static restored(acknowledged: number, frames: Buffer, now: number): ReplayLog {
    const log = new ReplayLog();
    log.last = log.sent = log.acknowledged = acknowledged;
    for (let at = 0; at < frames.length; ) {
      const end = at + LENGTH_BYTES + frames.readUInt32BE(at);
      if (end > frames.length || end < at + HEAD_BYTES) throw new RangeError("a frame is cut short");
      const to = log.append(frames[at + LENGTH_BYTES] as number, end - at - HEAD_BYTES, now);
      frames.copy(log.frameBytes, to + HEAD_BYTES, at + HEAD_BYTES, end);
      at = end;
    }
    log.transmitted = log.last;
    return log;
  }

  /** Memory that is held, free space included. */
  get pinnedBytes(): number {
    return this.#blockBytes + this.#positions.length * BYTES_A_NUMBER;
  }

  /** Messages that are not acknowledged. */
  get count(): number {
    return this.last - this.acknowledged;
  }

  /** Bytes of the messages that are not acknowledged, with what their blocks leave free between them. */
  get retainedBytes(): number {
    return this.#end - this.#start;
  }

  /** Whether something waits to be sent on the connection of now. */
  get hasUnsent(): boolean {
    return this.sent < this.last && (this.gate === undefined || this.sent < this.gate.out);
  }

  /** When the oldest message was written that is not acknowledged; Infinity when all are. */
  get oldestAt(): number {
    return this.count === 0 ? Infinity : (this.#times[this.#slot(this.acknowledged + 1)] as number);
  }

  /**
   * Gives the next number to a message, and writes the head of its frame. The caller must write the payload, which begins
   * `HEAD_BYTES` behind the place in `frameBytes` that is answered.
   */
  append(type: number, payloadBytes: number, now: number): number {
    const frameBytes = HEAD_BYTES + payloadBytes;
    let block = this.#blocks[this.#blocks.length - 1];
    if (block === undefined || block.used + frameBytes > block.bytes.length) block = this.#addBlock(block, frameBytes);
    const at = block.used;
    block.used = at + frameBytes;
    const position = block.base + at;
    // A block may end before it is full.
    if (this.count === 0) this.#start = position;
    this.#end = position + frameBytes;
    if (this.count === this.#positions.length) this.#grow();
    this.last += 1;
    const slot = this.#slot(this.last);
    this.#positions[slot] = position;
    this.#times[slot] = now;
    const { bytes } = block;
    const length = payloadBytes + 1;
    bytes[at] = length >>> 24;
    bytes[at + 1] = length >>> 16;
    bytes[at + 2] = length >>> 8;
    bytes[at + 3] = length;
    bytes[at + 4] = type;
    this.frameBytes = bytes;
    return at;
  }

  /** The frame of a message that is not acknowledged. Valid until the next call. */
  frame(number: number): FramePlace {
    const position = this.#positions[this.#slot(number)] as number;
    const block = this.#blocks[this.#blockOf(position)] as Block;
    return this.#at(block.bytes, position - block.base);
  }

  /** Forgets the messages up to `number`, which must not be above `sent` nor below `acknowledged`. */
  acknowledge(number: number): void {
    if (number === this.acknowledged) return;
    this.acknowledged = number;
    if (this.sent < number) this.sent = number;
    if (this.count === 0) {
      this.#empty();
      return;
    }
    this.#start = this.#positions[this.#slot(number + 1)] as number;
    const first = this.#blockOf(this.#start);
    if (first === 0) return;
    this.#place.bytes = NO_BYTES;
    for (const { bytes } of this.#blocks.splice(0, first)) this.#leave(bytes);
  }

  /** Begins again behind `number`, on a new connection. Answers how many messages will be sent again. */
  rewind(number: number): number {
    this.sent = number;
    return Math.max(0, this.transmitted - number);
  }

  /** The last number that `take` would answer with at most `maxBytes`, at least one message. */
  reach(maxBytes: number): number {
    const start = this.#positions[this.#slot(this.sent + 1)] as number;
    let high = this.gate === undefined ? this.last : Math.min(this.last, this.gate.out);
    if (this.#end - start <= maxBytes) return high;
    let low = this.sent + 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#positions[this.#slot(middle)] as number) - start < maxBytes) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Adds the messages behind `sent` up to `number` to `chunks`, as they are to be written. They are views. */
  take(number: number, chunks: Uint8Array[]): void {
    this.#view(this.sent + 1, number, chunks);
    this.sent = number;
    if (number > this.transmitted) this.transmitted = number;
  }

  /** The frames of all messages that are not acknowledged, as views. */
  frames(): readonly Uint8Array[] {
    const chunks: Uint8Array[] = [];
    if (this.count > 0) this.#view(this.acknowledged + 1, this.last, chunks);
    return chunks;
  }

  #view(first: number, last: number, chunks: Uint8Array[]): void {
    let position = this.#positions[this.#slot(first)] as number;
    const end = last === this.last ? Infinity : (this.#positions[this.#slot(last + 1)] as number);
    for (let index = this.#blockOf(position); index < this.#blocks.length && position < end; index += 1) {
      const block = this.#blocks[index] as Block;
      const from = Math.max(0, position - block.base);
      const to = Math.min(block.used, end - block.base);
      if (to > from) chunks.push(block.bytes.subarray(from, to));
      position = block.base + block.bytes.length;
    }
  }

  /** Gives back what an idle session does not need. */
  trim(): void {
    this.#blockBytes -= (this.#spare?.length ?? 0) * LARGEST_BLOCK_BYTES;
    this.#spare = undefined;
    if (this.count > 0) return;
    this.#blocks.length = 0;
    this.frameBytes = NO_BYTES;
    this.#blockBytes = 0;
    this.#nextBlockBytes = SMALLEST_BLOCK_BYTES;
    this.#positions = this.#times = NO_NUMBERS;
  }

  /** Nothing is retained: the last block is used again, if it is of the usual size. */
  #empty(): void {
    this.#start = this.#end;
    const block = this.#blocks.pop();
    this.#blocks.length = 0;
    this.#spare = undefined;
    this.#blockBytes = 0;
    // Neither may pin a block that is not kept.
    this.frameBytes = this.#place.bytes = NO_BYTES;
    const kept = block !== undefined && block.bytes.length <= LARGEST_BLOCK_BYTES;
    if (!kept || this.#positions.length > KEPT_CAPACITY) this.#positions = this.#times = NO_NUMBERS;
    if (!kept) return;
    this.#blocks.push({ bytes: block.bytes, base: block.base + block.bytes.length, used: 0 });
    this.#blockBytes = block.bytes.length;
  }

  #addBlock(before: Block | undefined, minBytes: number): Block {
    const base = before === undefined ? 0 : before.base + before.bytes.length;
    const bytes = this.#memory(Math.max(minBytes, this.#nextBlockBytes));
    if (before?.used === 0) this.#drop(before);
    this.#nextBlockBytes = Math.min(LARGEST_BLOCK_BYTES, this.#nextBlockBytes * 2);
    const block = { bytes, base, used: 0 };
    this.#blocks.push(block);
    return block;
  }

  #memory(minBytes: number): Buffer {
    const spare = minBytes === LARGEST_BLOCK_BYTES ? this.#spare?.pop() : undefined;
    if (spare !== undefined) return spare;
    this.#blockBytes += minBytes;
    return Buffer.allocUnsafeSlow(minBytes);
  }

  /** A block is of no use any more; its memory may be. */
  #leave(bytes: Buffer): void {
    this.#spare ??= [];
    if (bytes.length === LARGEST_BLOCK_BYTES && this.#spare.length < SPARE_BLOCKS) this.#spare.push(bytes);
    else this.#blockBytes -= bytes.length;
  }

  #drop(block: Block): void {
    this.#blocks.pop();
    this.#blockBytes -= block.bytes.length;
  }

  /** All places are taken: makes twice as many. */
  #grow(): void {
    this.#positions = this.#spread(this.#positions);
    this.#times = this.#spread(this.#times);
  }

  /** The same numbers in twice as many places. They stand in two runs, since the places are used in a circle. */
  #spread(from: Float64Array): Float64Array {
    const places = from.length;
    const to = new Float64Array(Math.max(FIRST_CAPACITY, places * 2));
    const first = (this.acknowledged + 1) & (places - 1);
    const target = (this.acknowledged + 1) & (to.length - 1);
    to.set(from.subarray(first), target);
    to.set(from.subarray(0, first), (target + places - first) & (to.length - 1));
    return to;
  }

  #blockOf(position: number): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#blocks[middle] as Block).base <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #slot(number: number): number {
    // Bit operators take a number modulo 2^32, which keeps its lowest bits.
    return number & (this.#positions.length - 1);
  }

  #at(bytes: Buffer, at: number): FramePlace {
    this.#place.bytes = bytes;
    this.#place.at = at;
    return this.#place;
  }
}
