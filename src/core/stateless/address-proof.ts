/**
 * The proof that whoever asks has the address that it says. The sender of a datagram can be forged, so a long answer to a
 * short question would let strangers flood a third party. A server gives a cookie to an address, and only who receives there
 * can show it (RFC 9000 section 8.1; the same idea as HelloVerifyRequest, RFC 6347 section 4.2.1). The server keeps none.
 */

import { hmacSha256 } from "../bytes/sha-256.ts";

/** Answers to an address that is not proved have at most so many times the bytes of the question (RFC 9000 section 8). */
export const UNPROVED_FACTOR = 3;

/** How long a cookie is good at least, in milliseconds; at most twice as long. */
export const COOKIE_PERIOD_MS = 60_000;

/** The period's number modulo 256, and 120 bits of the keyed hash. */
const COOKIE_BYTES = 16;

/** Makes and checks cookies. */
export class AddressProof {
  readonly #secret: Uint8Array;

  /** @param secret - 32 unpredictable bytes, which no other process has. */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** The cookie of an address, given as text with its port. */
  cookie(address: string, now: number): Buffer {
    return this.#cookieOf(address, periodOf(now));
  }

  /** Whether this address got this cookie in the present period or in the one before. */
  proves(address: string, cookie: Uint8Array, now: number): boolean {
    if (cookie.length !== COOKIE_BYTES) return false;
    const present = periodOf(now);
    // The first byte says which period it is of, so that one hash is enough.
    const age = ((present & 0xff) - (cookie[0] as number)) & 0xff;
    return age <= 1 && present >= age && sameBytes(this.#cookieOf(address, present - age), cookie);
  }

  #cookieOf(address: string, period: number): Buffer {
    const hash = hmacSha256(this.#secret, Buffer.from(`${period} ${address}`, "latin1"));
    hash[0] = period & 0xff;
    return hash.subarray(0, COOKIE_BYTES);
  }
}

function periodOf(now: number): number {
  return Math.floor(now / COOKIE_PERIOD_MS);
}

/** In a time that does not tell where the first difference is. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] as number);
  return difference === 0;
}
