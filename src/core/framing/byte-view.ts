/** Views of received bytes that cost no more than a plain `Uint8Array`. */

/**
 * A `Buffer` in all that it can do (`Buffer.isBuffer`, `instanceof Buffer`, every method), made in half the time that Node
 * needs for its own, which checks what is known here. Its prototype is one of its own, so that `assert.deepStrictEqual`
 * tells it from other buffers: only views that live for one call are of this class.
 */
class ByteView extends Uint8Array {
  static {
    Object.setPrototypeOf(ByteView.prototype, Buffer.prototype as object);
    // What `console.log` shows: <Buffer 01 02>.
    Object.defineProperty(ByteView.prototype, "constructor", { value: Buffer });
  }
}

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
    if (buffer.byteLength > REMEMBERED_BYTES)
      return asBuffer(new ByteView(buffer, bytes.byteOffset + start, end - start));
    lastBytes = bytes;
    lastBuffer = buffer;
    lastOffset = bytes.byteOffset;
  }
  return asBuffer(new ByteView(lastBuffer, lastOffset + start, end - start));
}

function asBuffer(view: ByteView): Buffer {
  return view as Uint8Array as Buffer;
}
