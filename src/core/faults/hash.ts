/** Hashes of 32 bits, for seeds and traces: the same on every engine, and not for secrets. */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Spreads the bits of an integer over 32 bits (the finalizer of MurmurHash3). */
export function mix32(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** FNV-1a over the UTF-16 units of a text, begun at `start`. */
export function hashText(text: string, start: number = FNV_OFFSET): number {
  let hash = start;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  return hash >>> 0;
}

/** FNV-1a over bytes, four at a time, begun at `start`. */
export function hashBytes(bytes: Uint8Array, start: number = FNV_OFFSET): number {
  let hash = start ^ bytes.length;
  let index = 0;
  for (const whole = bytes.length - 3; index < whole; index += 4) {
    const word =
      (bytes[index] as number) |
      ((bytes[index + 1] as number) << 8) |
      ((bytes[index + 2] as number) << 16) |
      ((bytes[index + 3] as number) << 24);
    hash = Math.imul(hash ^ word, FNV_PRIME);
    // The high bits of a product never reach the low ones by themselves.
    hash ^= hash >>> 15;
  }
  for (; index < bytes.length; index += 1) hash = Math.imul(hash ^ (bytes[index] as number), FNV_PRIME);
  return hash >>> 0;
}
