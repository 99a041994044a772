/** Copying a range of bytes in the fastest way that there is for its size. */

/** Up to this many bytes a loop is faster than a call into the engine. */
const LOOP_BYTES = 8;

/** Copies `from[start, end)` into `to`, beginning at `at`. There must be room. */
export function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  const count = end - start;
  if (count <= LOOP_BYTES) {
    for (let index = 0; index < count; index += 1) to[at + index] = from[start + index] as number;
  } else if (count === from.length) {
    to.set(from, at);
  } else {
    // Half the cost of `subarray`, which asks the class of `from` how to make a view.
    to.set(new Uint8Array(from.buffer, from.byteOffset + start, count), at);
  }
}
