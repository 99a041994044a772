/** A range of bytes: viewed, copied and searched in the fastest way that there is for its size. */

/**
 * What `Buffer` makes its own views with. Used directly, a view takes half the time: Node checks before what is known here.
 * It is public as the species of `Buffer`.
 */
export const BufferView: new (memory: ArrayBufferLike, byteOffset: number, length: number) => Buffer =
  speciesOf(Buffer);

/**
 * Asking a `Uint8Array` for its buffer costs as much as making the view, and most messages stand in the buffer of the one
 * before. Only small buffers are remembered: what is remembered cannot be collected.
 */
const REMEMBERED_BYTES = 65_536;
let lastBytes: Uint8Array | undefined;
let lastBuffer: ArrayBuffer = new ArrayBuffer(0);
let lastOffset = 0;

/** A view of `bytes[start, end)`. */
export function viewBytes(bytes: Uint8Array, start: number, end: number): Buffer {
  if (bytes !== lastBytes) {
    const buffer = bytes.buffer as ArrayBuffer;
    if (buffer.byteLength > REMEMBERED_BYTES) return new BufferView(buffer, bytes.byteOffset + start, end - start);
    lastBytes = bytes;
    lastBuffer = buffer;
    lastOffset = bytes.byteOffset;
  }
  return new BufferView(lastBuffer, lastOffset + start, end - start);
}

function speciesOf(constructor: unknown): typeof BufferView {
  return (constructor as { readonly [Symbol.species]: typeof BufferView })[Symbol.species];
}

/** Up to this many bytes a loop is faster than a call into the engine. */
const COPY_LOOP_BYTES = 8;

/** Copies `from[start, end)` into `to`, beginning at `at`. There must be room. */
export function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  const count = end - start;
  if (count <= COPY_LOOP_BYTES) {
    for (let index = 0; index < count; index += 1) to[at + index] = from[start + index] as number;
  } else if (count === from.length) {
    to.set(from, at);
  } else {
    // Half the cost of `subarray`, which asks the class of `from` how to make a view.
    to.set(new Uint8Array(from.buffer, from.byteOffset + start, count), at);
  }
}

/** The engine's search costs a call; below this distance a loop is faster. */
const SEARCH_LOOP_BYTES = 12;

/**
 * Where `byte` first stands in `bytes[start, end)`; -1 when it does not. Never looks behind `end`, so that a search that
 * is resumed again and again over a growing buffer stays linear.
 */
export function findByte(bytes: Buffer, byte: number, start: number, end: number): number {
  const near = Math.min(end, start + SEARCH_LOOP_BYTES);
  for (let at = start; at < near; at += 1) if (bytes[at] === byte) return at;
  if (near >= end) return -1;
  if (end === bytes.length) return bytes.indexOf(byte, near);
  const found = new Uint8Array(bytes.buffer, bytes.byteOffset + near, end - near).indexOf(byte);
  return found === -1 ? -1 : near + found;
}
