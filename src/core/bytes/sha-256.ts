/**
 * SHA-256 (FIPS 180-4), and the keyed hash that is made of it (RFC 2104). The core has no `node:crypto`; what is hashed here
 * is short, and seldom: a token once a connection, an address once a request that has a long answer.
 */

const BLOCK_BYTES = 64;
/** RFC 2104 section 2. */
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** The first 32 bits of the fractional parts of the square roots of the first 8 primes (section 5.3.3). */
const INITIAL: readonly number[] = [2, 3, 5, 7, 11, 13, 17, 19].map((prime) => fraction(Math.sqrt(prime)));
/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2). */
const ROUNDS: Int32Array = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)));

/** The SHA-256 of the UTF-8 of a text, as 43 characters of base64url (RFC 4648 section 5). */
export function sha256(text: string): string {
  return digest(Buffer.from(text, "utf8")).toString("base64url");
}

/** HMAC-SHA-256 of a message: 32 bytes that only who has the key can make. The key has at most 64 bytes. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Buffer {
  const inner = Buffer.alloc(BLOCK_BYTES, INNER_PAD);
  const outer = Buffer.alloc(BLOCK_BYTES, OUTER_PAD);
  for (const [index, byte] of key.entries()) {
    inner[index] = byte ^ INNER_PAD;
    outer[index] = byte ^ OUTER_PAD;
  }
  return digest(Buffer.concat([outer, digest(Buffer.concat([inner, message]))]));
}

function digest(message: Buffer): Buffer {
  const bytes = padded(message);
  const state = Int32Array.from(INITIAL);
  const words = new Int32Array(64);
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) compress(state, words, bytes, at);
  const result = Buffer.alloc(32);
  for (const [index, word] of state.entries()) result.writeInt32BE(word, index * 4);
  return result;
}

/** Section 5.1.1: a one bit, zeros, and the length in bits. */
function padded(message: Buffer): Buffer {
  const bytes = Buffer.alloc(Math.ceil((message.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  message.copy(bytes);
  bytes[message.length] = 0x80;
  bytes.writeUInt32BE(message.length * 8, bytes.length - 4);
  return bytes;
}

/** Section 6.2.2. */
function compress(state: Int32Array, words: Int32Array, bytes: Buffer, at: number): void {
  for (let index = 0; index < 16; index += 1) words[index] = bytes.readInt32BE(at + index * 4);
  for (let index = 16; index < 64; index += 1) {
    const w2 = words[index - 2] as number;
    const w15 = words[index - 15] as number;
    const sigma1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10);
    const sigma0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3);
    words[index] = sigma1 + (words[index - 7] as number) + sigma0 + (words[index - 16] as number);
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let index = 0; index < 64; index += 1) {
    const choice = (e & f) ^ (~e & g);
    const first =
      (h +
        (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
        choice +
        (ROUNDS[index] as number) +
        (words[index] as number)) |
      0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  // An Int32Array adds modulo 2^32.
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] as number) + word;
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 0x1_0000_0000) | 0;
}

function primes(count: number): readonly number[] {
  const found: number[] = [];
  for (let next = 2; found.length < count; next += 1) if (found.every((prime) => next % prime !== 0)) found.push(next);
  return found;
}
