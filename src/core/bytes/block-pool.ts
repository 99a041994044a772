/** Blocks of memory that are lent and given back, so that sending does not allocate. */

/** The smallest block, for a connection that says little. */
export const SMALLEST_BLOCK_BYTES = 1024;
/** The largest block that is kept: about what one system call moves well. */
export const LARGEST_BLOCK_BYTES = 65_536;

/** Memory that a pool keeps when nothing is lent. */
const DEFAULT_KEPT_BYTES = 4_194_304;

/** A pool of blocks of 1 KiB to 64 KiB, each twice as large as the one below. */
export class BlockPool {
  readonly #maxKeptBytes: number;
  readonly #free: readonly Buffer[][] = Array.from({ length: sizeClass(LARGEST_BLOCK_BYTES) + 1 }, () => []);
  #keptBytes = 0;

  /** @param maxKeptBytes - Most memory to keep while nobody uses it. Default 4 MiB: 64 of the largest blocks. */
  constructor(maxKeptBytes: number = DEFAULT_KEPT_BYTES) {
    this.#maxKeptBytes = maxKeptBytes;
  }

  /** Memory that waits to be lent. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** A block of at least `minBytes`. Its content is what was left in it. */
  acquire(minBytes: number): Buffer {
    if (minBytes > LARGEST_BLOCK_BYTES) return Buffer.allocUnsafeSlow(minBytes);
    const sizeBytes = blockBytes(minBytes);
    const block = this.#free[sizeClass(sizeBytes)]?.pop();
    if (block === undefined) return Buffer.allocUnsafeSlow(sizeBytes);
    this.#keptBytes -= sizeBytes;
    return block;
  }

  /** Takes back a block that `acquire` lent. Nobody may use it afterwards. */
  release(block: Buffer): void {
    const sizeBytes = block.length;
    if (sizeBytes > LARGEST_BLOCK_BYTES || this.#keptBytes + sizeBytes > this.#maxKeptBytes) return;
    this.#free[sizeClass(sizeBytes)]?.push(block);
    this.#keptBytes += sizeBytes;
  }
}

/** The size of the block that holds `bytes`: the next power of two. */
export function blockBytes(bytes: number): number {
  let size = SMALLEST_BLOCK_BYTES;
  while (size < bytes && size < LARGEST_BLOCK_BYTES) size *= 2;
  return size;
}

function sizeClass(sizeBytes: number): number {
  return 31 - Math.clz32(sizeBytes / SMALLEST_BLOCK_BYTES);
}
