/** Random numbers that a seed and a label decide: the same on every engine, and independent of all other labels. */

/** 2 to the power of 32: how many values a draw can have. */
const DRAWS = 0x1_0000_0000;

/** Draws that are thrown away at the start, so that like seeds do not begin alike. */
const WARM_UP_DRAWS = 12;

/**
 * One stream of random numbers. Each use of randomness has a stream with a label of its own, so that an additional draw
 * in one place moves no other. The generator is sfc32 (Doty-Humphrey's small fast counting generator).
 */
export class RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, label: string) {
    const low = seed >>> 0;
    const high = Math.floor(seed / DRAWS) >>> 0;
    const name = hashText(label);
    this.#a = mix32(name ^ low);
    this.#b = mix32(hashText(label, this.#a) + high);
    this.#c = mix32(hashText(label, this.#b ^ low) ^ high);
    for (let count = 0; count < WARM_UP_DRAWS; count += 1) this.uint32();
  }

  /** An integer from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** An integer from 0 to `limit` - 1, each as likely as any other; `limit` is at most 2^32. */
  below(limit: number): number {
    // Draws in the incomplete last round of `limit` values would favour the small ones.
    const most = DRAWS - (DRAWS % limit);
    let draw = this.uint32();
    while (draw >= most) draw = this.uint32();
    return draw % limit;
  }

  /** True `threshold` times in 2^32; see {@link probabilityThreshold}. */
  chance(threshold: number): boolean {
    // A fault that is off draws nothing, and costs nothing.
    return threshold > 0 && this.uint32() < threshold;
  }

  /** A number in [0, 1) with 53 random bits. */
  fraction(): number {
    return ((this.uint32() >>> 5) * 0x400_0000 + (this.uint32() >>> 6)) / 0x20_0000_0000_0000;
  }

  /** Random bytes. */
  bytes(count: number): Buffer {
    const out = Buffer.alloc(count);
    for (let index = 0; index < count; index += 1) out[index] = this.uint32() >>> 24;
    return out;
  }
}

/** A probability from 0 to 1 as an integer to compare draws with, so that no engine rounds otherwise. */
export function probabilityThreshold(probability: number): number {
  return Math.round(probability * DRAWS);
}

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
export function hashBytes(bytes: Uint8Array): number {
  let hash = FNV_OFFSET ^ bytes.length;
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
