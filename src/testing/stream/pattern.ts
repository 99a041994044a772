/** Bytes that can be checked at any place of a stream. */

import assert from "node:assert/strict";

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
