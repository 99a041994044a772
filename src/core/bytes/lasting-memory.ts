/** Memory for bytes that somebody may keep for long. */

/** From this size on a piece has memory of its own. It is what Node itself did before version 24: half of its pool of 8 KiB. */
const ALONE_BYTES = 4096;

/**
 * Memory for `count` bytes, with content that must be overwritten. Small pieces share the pool of the runtime. Since Node 24
 * that takes pieces of up to 32 KiB, so that one byte which is kept would pin the large pieces around it as well.
 */
export function lastingMemory(count: number): Buffer {
  return count < ALONE_BYTES ? Buffer.allocUnsafe(count) : Buffer.allocUnsafeSlow(count);
}

/** A copy that belongs to the caller. */
export function lastingCopy(view: Uint8Array): Buffer {
  const copy = lastingMemory(view.length);
  copy.set(view, 0);
  return copy;
}
