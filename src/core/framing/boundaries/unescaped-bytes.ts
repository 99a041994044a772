/** Room for the content of a message that does not stand on the wire as it is. */

/** The first room; most messages of such codecs are small. */
const FIRST_BYTES = 256;

/** Room up to this size is kept for the next message; more would make an idle peer expensive. */
const KEPT_BYTES = 4096;

/** Lends one buffer again and again. */
export class UnescapedBytes {
  #kept: Buffer = Buffer.alloc(0);

  /** A buffer of at least `bytes` bytes, valid until the next call. */
  room(bytes: number): Buffer {
    if (bytes <= this.#kept.length) return this.#kept;
    if (bytes > KEPT_BYTES) return Buffer.allocUnsafeSlow(bytes);
    this.#kept = Buffer.allocUnsafeSlow(Math.max(bytes, FIRST_BYTES));
    return this.#kept;
  }
}
