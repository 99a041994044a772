/** A look at received MessagePack before it is decoded, so that the decoder meets nothing hostile. */

import { decodeUtf8 } from "../../bytes/utf8.ts";
import { InvalidContent } from "../frame-error.ts";
import { MAX_VALUE_DEPTH, tooDeep, tooManyValues } from "./value-limits.ts";

/** The extension type of a timestamp. It is the only one that is allowed. */
const TIMESTAMP = 0xff;
/** 2^53 - 1 has 21 bits above its lowest 32. */
const SAFE_HIGH_WORD = 0x1f_ffff;
/** A `Date` reaches 8.64e12 seconds to either side of 1970. */
const MOST_SECONDS = 8.64e12;
const TWO_TO_32 = 0x1_0000_0000;
const MOST_NANOSECONDS = 999_999_999;
const PROTO: Buffer = Buffer.from("__proto__");

// One check is over before the next one begins.
/** How many values are still to come in each map and array around the place of now. */
const missing = new Float64Array(MAX_VALUE_DEPTH);
/** Which of them are maps. */
const isMap: boolean[] = Array.from({ length: MAX_VALUE_DEPTH }, () => false);

/**
 * What is wrong with `bytes[start, end)`; undefined when it is exactly one MessagePack value with nothing but nil, booleans,
 * numbers, text, bytes, timestamps, arrays, and maps with text as keys, at most 64 deep and with at most `maxValues` inside.
 * Time is linear in the bytes; nothing is allocated for lengths that are announced.
 *
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function problemOfMessagePack(
  bytes: Buffer,
  start: number,
  end: number,
  maxValues: number,
): InvalidContent | undefined {
  const check = new Check(bytes, start, end);
  check.run(maxValues);
  if (check.problem === undefined && check.at !== end) return new InvalidContent("there are bytes behind the value");
  return check.problem;
}

class Check {
  at: number;
  problem: InvalidContent | undefined;
  readonly #bytes: Buffer;
  readonly #end: number;
  #depth = 0;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
  }

  /** Steps over one value with all that are inside, or to where something is wrong. */
  run(maxValues: number): void {
    for (let values = 1; this.problem === undefined; values += 1) {
      if (values > maxValues) this.problem = tooManyValues(maxValues);
      else this.#value();
      // Out of all that ends here.
      while (this.#depth > 0 && missing[this.#depth - 1] === 0) this.#depth -= 1;
      if (this.#depth === 0) return;
      const around = this.#depth - 1;
      missing[around] = (missing[around] as number) - 1;
      if (isMap[around] === true) this.#key();
    }
  }

  /** A value; of a map or an array, only its head. */
  #value(): void {
    const token = this.#uint(1);
    // Fixed integers, nil, false and true are complete.
    if (token < 0x80 || token >= 0xe0 || token === 0xc0 || token === 0xc2 || token === 0xc3) return;
    if (token < 0x90) this.#enter(token & 0x0f, true);
    else if (token < 0xa0) this.#enter(token & 0x0f, false);
    else if (token < 0xc0) this.#text(token & 0x1f);
    else if (token === 0xc1) this.#invalid("the byte c1 means nothing");
    else if (token < 0xc7) this.#skip(this.#uint(1 << (token - 0xc4)));
    else if (token < 0xca) this.#extension(this.#uint(1 << (token - 0xc7)));
    else if (token < 0xcc) this.#skip(token === 0xca ? 4 : 8);
    else if (token < 0xd4) this.#integer(token);
    else if (token < 0xd9) this.#extension(1 << (token - 0xd4));
    else if (token < 0xdc) this.#text(this.#uint(1 << (token - 0xd9)));
    else this.#enter(this.#uint(token % 2 === 0 ? 2 : 4), token >= 0xde);
  }

  #enter(count: number, map: boolean): void {
    if (this.#depth === MAX_VALUE_DEPTH) {
      this.problem ??= tooDeep();
      return;
    }
    missing[this.#depth] = count;
    isMap[this.#depth] = map;
    this.#depth += 1;
  }

  #key(): void {
    const token = this.#uint(1);
    const isText = (token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token < 0xdc);
    if (!isText) {
      this.#invalid("a key of a map is not text");
      return;
    }
    const count = token < 0xc0 ? token & 0x1f : this.#uint(1 << (token - 0xd9));
    const start = this.at;
    this.#text(count);
    // No object can have it as an ordinary member by plain assignment.
    if (count === PROTO.length && this.#bytes.compare(PROTO, 0, count, start, this.at) === 0) {
      this.#invalid("a key is __proto__");
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

  /** A number of so many bytes; 0 when they are not there. */
  #uint(size: number): number {
    const at = this.at;
    if (!this.#skip(size)) return 0;
    return size === 1 ? (this.#bytes[at] as number) : this.#bytes.readUIntBE(at, size);
  }

  #skip(count: number): boolean {
    if (count > this.#end - this.at) return this.#invalid("the value is not complete");
    this.at += count;
    return true;
  }

  /** Nothing that is found behind the first problem counts. */
  #invalid(problem: string): false {
    this.problem ??= new InvalidContent(problem);
    return false;
  }
}
