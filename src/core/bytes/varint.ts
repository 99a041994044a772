/**
 * Unsigned LEB128 numbers, as protocol buffers write them: seven bits a byte, the lowest first, the top bit set on every
 * byte but the last.
 *
 * @see https://protobuf.dev/programming-guides/encoding/#varints
 */

/** How many bytes `value` takes, a whole number from 0 to 2^53 - 1. */
export function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count += 1;
  return count;
}

/** Writes `value` at `at`, where `varintBytes(value)` bytes must be free. Answers where the next byte goes. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  // Numbers above 2^31 do not survive the bit operators.
  while (rest >= 0x8000_0000) {
    bytes[at] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    at += 1;
  }
  while (rest >= 0x80) {
    bytes[at] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}
