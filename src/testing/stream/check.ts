/** What the parts of the stream suite share: the form of a test, and ways to bring a stream into a state. */

import assert from "node:assert/strict";
import { TimeoutError } from "../../core/errors.ts";
import type { StreamTraits } from "../../io/network/network.ts";
import type { StreamSocket } from "../../io/stream/public.ts";

/** Tests by their titles, each on a fresh connected pair. */
export type StreamChecks = Readonly<
  Record<string, (a: StreamSocket, b: StreamSocket, traits: StreamTraits) => Promise<void>>
>;

/** Long enough for a call to be pending, short enough for a test: nothing depends on how long it really is. */
export const SHORT_MS = 10;

/** What a stream reads ahead by default, and one read of a kernel more. */
export const MOST_READ_AHEAD_BYTES: number = 2 * 65_536;

const FILL_CHUNK_BYTES = 65_536;
/** So many writes in a row must time out without any progress before the way counts as full. */
const FILL_ATTEMPTS = 3;

/**
 * Sends the pattern until the way to a peer that does not read is full, so that the next write has to wait. Answers how
 * many bytes were accepted: those and no others arrive when the peer reads again. A way that has taken `mostBytes` is never full.
 */
export async function fillUp(socket: StreamSocket, mostBytes: number = Number.POSITIVE_INFINITY): Promise<number> {
  let accepted = 0;
  for (let stuck = 0; stuck < FILL_ATTEMPTS && accepted < mostBytes; ) {
    const before = socket.bytesSent;
    try {
      await socket.write(patternBytes(accepted, FILL_CHUNK_BYTES), { timeoutMs: SHORT_MS });
      accepted += FILL_CHUNK_BYTES;
    } catch (error) {
      assert.ok(error instanceof TimeoutError, String(error));
      if (error.outcome === "all") accepted += FILL_CHUNK_BYTES;
    }
    stuck = socket.bytesSent === before ? stuck + 1 : 0;
  }
  return accepted;
}

/** Sends `byteCount` bytes of the pattern in pieces of `pieceBytes`, each awaited. */
export async function sendPattern(socket: StreamSocket, byteCount: number, pieceBytes: number): Promise<void> {
  for (let sent = 0; sent < byteCount; sent += pieceBytes) {
    await socket.write(patternBytes(sent, Math.min(pieceBytes, byteCount - sent)));
  }
}

/**
 * Sends one byte each way. A connection that is reset before it was ever used cannot always be told from one that ended:
 * TLS writes by itself at the beginning, and the kernel may tell that write of the reset and nobody else.
 */
export async function greet(a: StreamSocket, b: StreamSocket): Promise<void> {
  await Promise.all([a.write("a"), b.write("b"), a.readExactly(1), b.readExactly(1)]);
}

/** All bytes up to the end of the stream, as UTF-8. */
export async function textToEnd(socket: StreamSocket): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Lets time pass on the clock of the connection: a read of a stream on which nothing comes. */
export async function pause(quiet: StreamSocket, durationMs: number): Promise<void> {
  await assert.rejects(quiet.read({ timeoutMs: durationMs }), { code: "TIMEOUT" });
}

/** Keeps the outcome of a call that is awaited later, so that an early failure is not an unhandled one. */
export function pending<T>(call: Promise<T>): Promise<T> {
  call.catch(() => undefined);
  return call;
}

/** A promise, and the means to resolve it. */
export function signal<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A prime, so that a shift by any buffer size is noticed. */
const PERIOD_BYTES = 1_048_573;

/** Most bytes that one piece of the pattern can have. */
const LONGEST_PIECE_BYTES = 1_048_576;

let cached: Buffer | undefined;

/** The pattern, long enough to cut a piece at any place: numbers of a generator (Numerical Recipes), not a counter. */
function pattern(): Buffer {
  if (cached !== undefined) return cached;
  const bytes = Buffer.alloc(PERIOD_BYTES + LONGEST_PIECE_BYTES);
  let state = 1;
  for (let at = 0; at < PERIOD_BYTES; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  bytes.copy(bytes, PERIOD_BYTES, 0, LONGEST_PIECE_BYTES);
  cached = bytes;
  return bytes;
}

/** The bytes of the pattern from `offset` on, at most 1 MiB of them. A view: do not write to it. */
export function patternBytes(offset: number, count: number): Buffer {
  assert.ok(count <= LONGEST_PIECE_BYTES, "a piece of the pattern has at most 1 MiB");
  const start = offset % PERIOD_BYTES;
  return pattern().subarray(start, start + count);
}

/** Reads to the end, fails unless it is the pattern, and answers how many bytes came. */
export async function receivePattern(socket: AsyncIterable<Uint8Array>): Promise<number> {
  const received = new PatternCheck();
  for await (const piece of socket) received.next(piece);
  return received.bytes;
}

/** Compares what arrives with the pattern, byte by byte: nothing lost, doubled or out of order. */
export class PatternCheck {
  /** Bytes that were right so far. */
  bytes = 0;

  /** Fails when these are not the next bytes of the pattern. */
  next(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; at += LONGEST_PIECE_BYTES) {
      const part = piece.subarray(at, at + LONGEST_PIECE_BYTES);
      assert.ok(patternBytes(this.bytes, part.length).equals(part), `other bytes than were sent, near ${this.bytes}`);
      this.bytes += part.length;
    }
  }
}
