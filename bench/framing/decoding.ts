/** What a decoder costs alone, without sockets: however the bytes are cut, and in memory. */

import { type Codec, ByteWriter, lengthPrefix } from "../../src/framing.ts";
import type { Figures } from "../harness/processes.ts";

const MESSAGE: Buffer = Buffer.alloc(64, 3);
/** So few messages that no collection comes between; see {@link allocated}. */
const COUNTED = 2000;

/** The bytes of `total` in messages of `messageBytes`, with their prefix. */
function wireOf(codec: Codec<Uint8Array, unknown>, messageBytes: number, total: number): Buffer {
  const writer = new ByteWriter();
  const message = Buffer.alloc(messageBytes, 3);
  for (let bytes = 0; bytes < total; bytes += messageBytes) codec.encode(message, writer);
  return Buffer.concat(writer.take().chunks);
}

/** Who only stores what comes: as little as a decoder of single bytes can do. */
class Store {
  readonly #bytes: Buffer = Buffer.alloc(65_536);
  #count = 0;

  decode(bytes: Uint8Array, start: number, end: number): number {
    const count = end - start;
    if (this.#count + count > this.#bytes.length) this.#count = 0;
    for (let index = 0; index < count; index += 1) this.#bytes[this.#count + index] = bytes[start + index] as number;
    this.#count += count;
    return count;
  }
}

interface Fed {
  decode(bytes: Uint8Array, start: number, end: number, onMessage: (message: Uint8Array) => void): number;
}

let touched = 0;
const touch = (message: Uint8Array): void => {
  touched += message[0] as number;
};

/** Nanoseconds that it takes to feed all bytes in pieces. */
function feed(target: Fed, bytes: Buffer, pieceBytes: number): number {
  const startedAt = performance.now();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    target.decode(bytes, at, Math.min(at + pieceBytes, bytes.length), touch);
  }
  return (performance.now() - startedAt) * 1e6;
}

/** Nanoseconds for a stream of `total` bytes with messages of `messageBytes`, in pieces. */
export function decoding(messageBytes: number, pieceBytes: number, total: number): () => Figures {
  const codec = lengthPrefix();
  const bytes = wireOf(codec, messageBytes, total);
  return () => ({ ns: feed(codec.createDecoder(), bytes, pieceBytes) });
}

/** The same pieces, for somebody who only stores them. */
export function storing(pieceBytes: number, total: number): () => Figures {
  const bytes = wireOf(lengthPrefix(), MESSAGE.length, total);
  return () => ({ ns: feed(new Store(), bytes, pieceBytes) });
}

/** Bytes of the heap that a message costs: the growth over a few, without a collection. */
function allocated(work: () => void): number {
  for (let round = 0; round < 50; round += 1) work();
  (globalThis as { gc?: () => void }).gc?.();
  const before = process.memoryUsage().heapUsed;
  work();
  return (process.memoryUsage().heapUsed - before) / COUNTED;
}

/** Bytes of the heap that a message of 64 bytes costs, by the way it goes. */
export function allocations(): Figures {
  const codec = lengthPrefix();
  const bytes = wireOf(codec, MESSAGE.length, MESSAGE.length * COUNTED);
  const decoder = codec.createDecoder();
  const writer = new ByteWriter();
  const own = (message: Uint8Array): void => touch(decoder.own(message as Buffer));
  const frame = (held: Buffer, start: number): void => {
    touched += held[start] as number;
  };
  return {
    onFrames: allocated(() => decoder.scan(bytes, 0, bytes.length, frame)),
    onMessages: allocated(() => decoder.decode(bytes, 0, bytes.length, touch)),
    owned: allocated(() => decoder.decode(bytes, 0, bytes.length, own)),
    send: allocated(() => {
      for (let sent = 0; sent < COUNTED; sent += 1) codec.encode(MESSAGE, writer);
      writer.take().release();
    }),
  };
}
