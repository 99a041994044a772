/** Views of received bytes that cost no more than a plain `Uint8Array`. */

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
