/** A look at received MessagePack before it is decoded, so that the decoder meets nothing hostile. */

import { decodeUtf8 } from "../bytes/utf8.ts";
import { frameInvalid } from "./frame-error.ts";

/** Most maps and arrays inside one another. Deeper data is an attack on the stack, or a mistake. */
export const MAX_MESSAGEPACK_DEPTH = 64;

/** The extension type of a timestamp. It is the only one that is allowed. */
const TIMESTAMP = 0xff;
/** 2^53 - 1 has 21 bits above its lowest 32. */
const SAFE_HIGH_WORD = 0x1f_ffff;
/** A `Date` reaches 8.64e12 seconds to either side of 1970. */
const MOST_SECONDS = 8.64e12;
const TWO_TO_32 = 0x1_0000_0000;
const MOST_NANOSECONDS = 999_999_999;
const PROTO: Buffer = Buffer.from("__proto__");

/**
 * Throws `FRAME_INVALID` unless `bytes[start, end)` is exactly one MessagePack value with nothing but nil, booleans, numbers,
 * text, bytes, timestamps, arrays, and maps with text as keys, at most 64 deep. Time is linear in the bytes; nothing is
 * allocated for lengths that are announced.
 *
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function checkMessagePack(name: string, bytes: Buffer, start: number, end: number): void {
  const check = new Check(name, bytes, start, end);
  check.value(0);
  if (check.at !== end) throw frameInvalid(name, "there are bytes behind the value");
}

class Check {
  at: number;
  readonly #name: string;
  readonly #bytes: Buffer;
  readonly #end: number;

  constructor(name: string, bytes: Buffer, start: number, end: number) {
    this.#name = name;
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
  }

  /** Steps over one value, which stands inside `depth` maps and arrays. */
  value(depth: number): void {
    const token = this.#uint(1);
    // Fixed integers, nil, false and true are complete.
    if (token < 0x80 || token >= 0xe0 || token === 0xc0 || token === 0xc2 || token === 0xc3) return;
    if (token < 0x90) this.#map(token & 0x0f, depth);
    else if (token < 0xa0) this.#array(token & 0x0f, depth);
    else if (token < 0xc0) this.#text(token & 0x1f);
    else if (token === 0xc1) this.#invalid("the byte c1 means nothing");
    else if (token < 0xc7) this.#skip(this.#uint(1 << (token - 0xc4)));
    else if (token < 0xca) this.#extension(this.#uint(1 << (token - 0xc7)));
    else if (token < 0xcc) this.#skip(token === 0xca ? 4 : 8);
    else if (token < 0xd4) this.#integer(token);
    else if (token < 0xd9) this.#extension(1 << (token - 0xd4));
    else if (token < 0xdc) this.#text(this.#uint(1 << (token - 0xd9)));
    else if (token < 0xde) this.#array(this.#uint(token === 0xdc ? 2 : 4), depth);
    else this.#map(this.#uint(token === 0xde ? 2 : 4), depth);
  }

  #array(count: number, depth: number): void {
    this.#enter(depth);
    for (let index = 0; index < count; index += 1) this.value(depth + 1);
  }

  #map(count: number, depth: number): void {
    this.#enter(depth);
    for (let index = 0; index < count; index += 1) {
      this.#key();
      this.value(depth + 1);
    }
  }

  #enter(depth: number): void {
    if (depth >= MAX_MESSAGEPACK_DEPTH)
      this.#invalid(`maps and arrays are nested deeper than ${MAX_MESSAGEPACK_DEPTH}`);
  }

  #key(): void {
    const token = this.#uint(1);
    const isText = (token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token < 0xdc);
    if (!isText) this.#invalid("a key of a map is not text");
    const count = token < 0xc0 ? token & 0x1f : this.#uint(1 << (token - 0xd9));
    const start = this.at;
    this.#text(count);
    // No object can have it as an ordinary member by plain assignment.
    if (count === PROTO.length && this.#bytes.compare(PROTO, 0, count, start, this.at) === 0) {
      this.#invalid("a key of a map is __proto__");
    }
  }

  #text(count: number): void {
    const start = this.at;
    this.#skip(count);
    for (let at = start; at < this.at; at += 1) {
      if ((this.#bytes[at] as number) < 0x80) continue;
      if (decodeUtf8(this.#bytes, at, this.at) === undefined) this.#invalid("text is not valid UTF-8");
      return;
    }
  }

  #integer(token: number): void {
    const signed = token >= 0xd0;
    const size = 1 << (signed ? token - 0xd0 : token - 0xcc);
    if (size < 8) {
      this.#skip(size);
      return;
    }
    const high = this.#uint(4);
    const low = this.#uint(4);
    const negative = signed && high >= 0x8000_0000;
    // The most negative safe number is -(2^53 - 1), so its lowest word is not 0.
    const safe = negative
      ? high > ~SAFE_HIGH_WORD >>> 0 || (high === ~SAFE_HIGH_WORD >>> 0 && low > 0)
      : high <= SAFE_HIGH_WORD;
    if (!safe) this.#invalid("an integer is beyond 2^53 - 1, where numbers are not exact");
  }

  #extension(count: number): void {
    const type = this.#uint(1);
    if (type !== TIMESTAMP)
      this.#invalid(`extension ${type > 127 ? type - 256 : type} is not allowed; timestamps (-1) are`);
    if (count === 4) this.#skip(4);
    else if (count === 8) this.#timestamp64();
    else if (count === 12) this.#timestamp96();
    else this.#invalid(`a timestamp has ${count} bytes`);
  }

  #timestamp64(): void {
    const nanoseconds = this.#uint(4) >>> 2;
    this.#skip(4);
    if (nanoseconds > MOST_NANOSECONDS) this.#invalid("a timestamp has more than 999,999,999 nanoseconds");
  }

  #timestamp96(): void {
    const nanoseconds = this.#uint(4);
    const seconds = (this.#uint(4) | 0) * TWO_TO_32 + this.#uint(4);
    if (nanoseconds > MOST_NANOSECONDS) this.#invalid("a timestamp has more than 999,999,999 nanoseconds");
    if (Math.abs(seconds) > MOST_SECONDS) this.#invalid("a timestamp is beyond what a Date can hold");
  }

  #uint(size: number): number {
    const at = this.at;
    this.#skip(size);
    return size === 1 ? (this.#bytes[at] as number) : this.#bytes.readUIntBE(at, size);
  }

  #skip(count: number): void {
    if (count > this.#end - this.at) this.#invalid("the value is not complete");
    this.at += count;
  }

  #invalid(problem: string): never {
    throw frameInvalid(this.#name, problem);
  }
}
