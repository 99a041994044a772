/** Copies of received bytes, which belong to whoever gets them. See docs/decisions/0018-messages-in-tens-of-nanoseconds.md. */

import { BufferView, copyBytes } from "./byte-range.ts";

/** So many bytes are copied in one go: as much as a small `Buffer` of Node 20 shares with others. */
const RUN_BYTES = 8192;
/** A message above this size is copied alone, so that little memory is pinned by it. */
const LARGEST_SHARED_BYTES = 1024;
/**
 * A run has at most so many times the bytes that were given out since the last one began. What is behind a message may be a
 * large one, which is copied alone: then the message must not pin a copy of its beginning.
 */
const GROWTH = 3;
/** A smaller run costs as much as copies one by one. */
const SMALLEST_RUN_BYTES = 512;
const NO_MEMORY: ArrayBufferLike = new ArrayBuffer(0);

let arrival: Uint8Array | undefined;
/** The bytes `[runStart, runEnd)` of the arrival are copied, to `runOffset` of this memory. */
let runMemory: ArrayBufferLike = NO_MEMORY;
let runOffset = 0;
let runStart = 0;
let runEnd = 0;
/** Bytes of small messages that were given out since the last run began, in this arrival and those before it. */
let usedBytes = 0;

/**
 * Until `endArrival` these bytes do not change: small messages that stand in them are copied many at a time, which costs a
 * third. Such copies share memory, as small buffers of Node do, and no byte twice. Together they pin at most some four times
 * their bytes, and who keeps one of them alone pins at most 8 KiB, or the pool of the runtime: 64 KiB since Node 24.
 */
export function beginArrival(bytes: Uint8Array): void {
  arrival = bytes;
  runEnd = 0;
}

/** The bytes of the arrival may change. */
export function endArrival(): void {
  arrival = undefined;
  runMemory = NO_MEMORY;
}

/** A copy of `bytes[start, end)`. */
export function ownBytes(bytes: Uint8Array, start: number, end: number): Buffer {
  const count = end - start;
  if (bytes !== arrival || count > LARGEST_SHARED_BYTES || !holdsRun(bytes, start, end)) {
    const copy = lastingMemory(count);
    copyBytes(bytes, start, end, copy, 0);
    return copy;
  }
  return new BufferView(runMemory, runOffset + start, count);
}

/** Whether the run holds these bytes of the arrival, or a new one does. It would not be worth while for a single message. */
function holdsRun(bytes: Uint8Array, start: number, end: number): boolean {
  const size = end - start;
  if (end <= runEnd && start >= runStart) {
    usedBytes += size;
    return true;
  }
  const count = Math.min(RUN_BYTES, GROWTH * usedBytes, bytes.length - start);
  if (count < SMALLEST_RUN_BYTES) {
    usedBytes += size;
    return false;
  }
  usedBytes = size;
  if (count < 2 * size) return false;
  // Not from the pool of the runtime: there a run would pin the copies of larger messages beside it.
  const run = Buffer.allocUnsafeSlow(count);
  copyBytes(bytes, start, start + count, run, 0);
  runMemory = run.buffer;
  runOffset = run.byteOffset - start;
  runStart = start;
  runEnd = start + count;
  return true;
}

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
