/** Gathers what is to be sent, so that many small messages become one write. */

import { BlockPool, blockBytes, LARGEST_BLOCK_BYTES, SMALLEST_BLOCK_BYTES } from "./block-pool.ts";
import { copyBytes } from "./byte-range.ts";

/** From this size on bytes are passed on as they are: copying them would cost more than one more piece in the write. */
export const REFERENCE_BYTES = 16_384;

/** Most bytes of UTF-8 that one unit of a JavaScript string can take. */
const UTF8_BYTES_PER_UNIT = 3;
const NO_BLOCK: Buffer = Buffer.alloc(0);

/** What a {@link ByteWriter} has gathered: the pieces of one write, in order. */
export class WrittenBytes {
  /** The pieces, in order. None is empty. They may be used until {@link WrittenBytes.release}. */
  readonly chunks: readonly Uint8Array[];
  /** The bytes of all pieces together. */
  readonly length: number;
  readonly #pool: BlockPool;
  #blocks: readonly Buffer[];

  constructor(chunks: readonly Uint8Array[], length: number, pool: BlockPool, blocks: readonly Buffer[]) {
    this.chunks = chunks;
    this.length = length;
    this.#pool = pool;
    this.#blocks = blocks;
  }

  /**
   * Gives the memory back: call it when the kernel has the bytes. Forgetting it costs only speed; calling it again does
   * nothing.
   */
  release(): void {
    for (const block of this.#blocks) this.#pool.release(block);
    this.#blocks = [];
  }
}

/** How much was written. */
interface Mark {
  chunks: number;
  chunkBytes: number;
  blocks: number;
  block: Buffer;
  at: number;
  start: number;
  referencedBytes: number;
}

const NOTHING_WRITTEN: Mark = {
  chunks: 0,
  chunkBytes: 0,
  blocks: 0,
  block: NO_BLOCK,
  at: 0,
  start: 0,
  referencedBytes: 0,
};

/**
 * A growing sequence of bytes to send. Small pieces are copied one behind the other into blocks from a pool; pieces of
 * 16 KiB and more are passed on by reference. Memory follows the bytes written: the first block has 1 KiB, or what the
 * last write needed.
 *
 * @example
 * ```ts
 * import { ByteWriter, lengthPrefix } from "zocalo/framing";
 * const writer = new ByteWriter();
 * lengthPrefix().encode(Buffer.from("hola"), writer);
 * const written = writer.take();
 * console.log(Buffer.concat(written.chunks).toString("hex")); // 00000004686f6c61
 * written.release();
 * ```
 */
export class ByteWriter {
  /**
   * Where to write after `reserve(count)`: `count` bytes of `block` are free from `at` on. Whoever writes them moves `at`
   * behind them.
   */
  block: Buffer = NO_BLOCK;
  /** Where in `block` the next byte goes. */
  at = 0;
  /** Bytes that were passed on by reference, ever: a caller's input among them must not change until it is sent. */
  referencedBytes = 0;
  readonly #pool: BlockPool;
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #blocks: Buffer[] = [];
  /** Where in `block` the bytes begin that are in no chunk yet. */
  #start = 0;
  #nextBlockBytes = SMALLEST_BLOCK_BYTES;
  /** Few writers need it. */
  #marked: Mark | undefined;

  /** @param pool - Where the blocks come from. Default: a pool of its own; connections should share one. */
  constructor(pool: BlockPool = new BlockPool()) {
    this.#pool = pool;
  }

  /** Bytes that were written and not taken yet. */
  get length(): number {
    return this.#chunkBytes + this.at - this.#start;
  }

  /** Makes room for `count` bytes in one piece at `at` of `block`. Writes nothing. */
  reserve(count: number): void {
    if (this.at + count > this.block.length) this.#nextBlock(count);
  }

  /** Writes one byte. */
  byte(value: number): void {
    this.reserve(1);
    this.block[this.at] = value;
    this.at += 1;
  }

  /**
   * Writes `bytes[start, end)`: as a copy, or by reference from {@link REFERENCE_BYTES} on, in which case the bytes must
   * not change until they are sent.
   */
  append(bytes: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (count >= REFERENCE_BYTES) return this.#reference(bytes.subarray(start, end));
    this.reserve(count);
    copyBytes(bytes, start, end, this.block, this.at);
    this.at += count;
  }

  /** Writes the UTF-8 of a text. Half of a surrogate pair, which has none, becomes U+FFFD. */
  text(text: string): void {
    if (text.length >= REFERENCE_BYTES) {
      const bytes = Buffer.from(text, "utf8");
      this.append(bytes, 0, bytes.length);
      return;
    }
    this.reserve(text.length * UTF8_BYTES_PER_UNIT);
    this.at += this.block.write(text, this.at, "utf8");
  }

  /** Remembers what was written so far, for {@link ByteWriter.rewind}. A later `mark` replaces it. */
  mark(): void {
    const marked = (this.#marked ??= { ...NOTHING_WRITTEN });
    marked.chunks = this.#chunks.length;
    marked.chunkBytes = this.#chunkBytes;
    marked.blocks = this.#blocks.length;
    marked.block = this.block;
    marked.at = this.at;
    marked.start = this.#start;
    marked.referencedBytes = this.referencedBytes;
  }

  /** Forgets what was written since `mark`, which must stand between the last `take` and this. */
  rewind(): void {
    const marked = this.#marked ?? NOTHING_WRITTEN;
    this.#chunks.length = marked.chunks;
    this.#chunkBytes = marked.chunkBytes;
    this.#blocks.length = marked.blocks;
    this.block = marked.block;
    this.at = marked.at;
    this.#start = marked.start;
    this.referencedBytes = marked.referencedBytes;
  }

  /** Hands out everything written so far, and begins anew. Several may be out at once. */
  take(): WrittenBytes {
    const length = this.length;
    this.#closeChunk();
    if (this.block.length > 0) this.#blocks.push(this.block);
    const written = new WrittenBytes(this.#chunks, length, this.#pool, this.#blocks);
    this.block = NO_BLOCK;
    this.at = this.#start = this.#chunkBytes = 0;
    this.#chunks = [];
    this.#blocks = [];
    this.#nextBlockBytes = blockBytes(length);
    return written;
  }

  #nextBlock(count: number): void {
    this.#closeChunk();
    if (this.block.length > 0) {
      this.#blocks.push(this.block);
      this.#nextBlockBytes = Math.min(LARGEST_BLOCK_BYTES, this.block.length * 2);
    }
    this.block = this.#pool.acquire(Math.max(count, this.#nextBlockBytes));
    this.at = this.#start = 0;
  }

  #reference(bytes: Uint8Array): void {
    this.#closeChunk();
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
    this.referencedBytes += bytes.length;
  }

  #closeChunk(): void {
    const count = this.at - this.#start;
    if (count === 0) return;
    this.#chunks.push(this.block.subarray(this.#start, this.at));
    this.#chunkBytes += count;
    this.#start = this.at;
  }
}
