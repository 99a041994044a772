/** Memory for bytes that somebody may keep for long. */

/** From this size on a piece has memory of its own. It is what Node itself did before version 24: half of its pool of 8 KiB. */
const ALONE_BYTES = 4096;
/** Up to this size V8 keeps the bytes of an array beside the object itself (`typed_array_max_size_in_heap`). */
const IN_HEAP_BYTES = 64;

/**
 * Memory for `count` bytes, with content that must be overwritten. Small pieces share the pool of the runtime. The smallest ones
 * do not: alone they cost no more, and one byte that is kept pins nothing else. Since Node 24 the pool takes pieces of up to
 * 32 KiB, so that a small one which is kept would pin the large pieces around it as well.
 */
export function lastingMemory(count: number): Buffer {
  const alone = count <= IN_HEAP_BYTES || count >= ALONE_BYTES;
  return alone ? Buffer.allocUnsafeSlow(count) : Buffer.allocUnsafe(count);
}

/** A copy that belongs to the caller. */
export function lastingCopy(view: Uint8Array): Buffer {
  const copy = lastingMemory(view.length);
  copy.set(view, 0);
  return copy;
}
