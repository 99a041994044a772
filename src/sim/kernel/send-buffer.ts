/** The bytes that a connection has accepted for sending and has not sent, cut into segments as there is room. */

/** A queue of bytes that gives out views of what it copied once: nothing is copied a second time but small pieces. */
export class SendBuffer {
  #chunks: Buffer[] = [];
  #offset = 0;
  #length = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Copies bytes to the end. */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(Buffer.from(bytes));
    this.#length += bytes.length;
  }

  /** Takes the next `count` bytes, which must be there. They are never changed, so they may be kept and shared. */
  take(count: number): Buffer {
    const first = this.#chunks[0] as Buffer;
    this.#length -= count;
    if (this.#offset === 0 && first.length === count) {
      this.#drop();
      return first;
    }
    if (first.length - this.#offset >= count) {
      const piece = first.subarray(this.#offset, this.#offset + count);
      this.#advance(count);
      return piece;
    }
    const piece = Buffer.allocUnsafe(count);
    for (let filled = 0; filled < count; ) {
      const chunk = this.#chunks[0] as Buffer;
      const part = Math.min(count - filled, chunk.length - this.#offset);
      chunk.copy(piece, filled, this.#offset, this.#offset + part);
      this.#advance(part);
      filled += part;
    }
    return piece;
  }

  /** Forgets everything. */
  clear(): void {
    this.#chunks = [];
    this.#offset = 0;
    this.#length = 0;
  }

  #advance(count: number): void {
    this.#offset += count;
    if (this.#offset < (this.#chunks[0] as Buffer).length) return;
    this.#drop();
    this.#offset = 0;
  }

  /** Drops the first chunk; a new list holds no memory while the connection is idle. */
  #drop(): void {
    if (this.#chunks.length === 1) this.#chunks = [];
    else this.#chunks.shift();
  }
}
