/**
 * A look at received JSON before it is parsed, so that the parser meets nothing wrong, hostile or inexact.
 *
 * Written with functions and local variables, not as a class: that takes half the time (docs/decisions/0018). Each `...End`
 * answers where what it is named for ends, or, when it is wrong, the complement (`~`) of where, which is below 0.
 */

import { findByte } from "../../bytes/byte-range.ts";
import { InvalidContent } from "../frame-error.ts";
import { MAX_VALUE_DEPTH, tooDeep, tooManyValues } from "./value-limits.ts";

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const UNDERSCORE = 0x5f;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
const OPEN_OBJECT = 0x7b;
/** A bracket that closes stands two places behind the one that opens, in ASCII. */
const TO_CLOSE = 2;
/** Makes a capital of ASCII small, and leaves a small letter as it is. */
const TO_LOWER = 0x20;

/** 1 for white space. */
const SPACES = tableOf((byte) => " \n\r\t".includes(String.fromCharCode(byte)));
/** 1 for what is not simply a part of a string. */
const SPECIAL = tableOf((byte) => byte < 0x20 || byte === QUOTE || byte === BACKSLASH);
/** 1 for what may stand behind a backslash, `u` aside. */
const ESCAPED = tableOf((byte) => '"\\/bfnrt'.includes(String.fromCharCode(byte)));

const PROTO = "__proto__";
/** `__proto__` with each letter as an escape of six, in quotes. */
const LONGEST_PROTO = 56;
/** Behind so many bytes of a string its end is searched for by the engine; what is between, the parser looks at. */
const LONG_STRING = 64;
/** A whole number with fewer digits is exact. */
const INEXACT_DIGITS = 16;
/** A fraction with fewer characters and without an exponent is neither infinite nor rounded to 0. */
const EXTREME_LENGTH = 300;
const LONGEST_SHOWN_NUMBER = 40;

// One check is over before the next one begins.
/** The brackets around the place of now. */
const open = new Uint8Array(MAX_VALUE_DEPTH);
/** What is wrong, when it is not the grammar. */
let special: InvalidContent | undefined;

/** What is asked of JSON text beside its grammar. */
export interface JsonRules {
  /** Most values. */
  readonly maxValues: number;
  /** Whether numbers may be rounded that JavaScript has not. */
  readonly rounded: boolean;
}

/**
 * What is wrong with the JSON text `bytes[start, end)` (RFC 8259); undefined when it is one value, at most 64 deep, with not
 * too many inside, no key `__proto__`, and no number that would be another one in JavaScript. Not looked at is whether the
 * bytes are UTF-8, and the middle of long strings: the parser finds what is wrong there. Time is linear in the bytes, and
 * nothing is allocated for them.
 */
export function problemOfJson(bytes: Buffer, start: number, end: number, rules: JsonRules): InvalidContent | undefined {
  let at = start;
  let depth = 0;
  special = undefined;
  for (let values = 1; at >= 0; values += 1) {
    if (values > rules.maxValues) return tooManyValues(rules.maxValues);
    at = spaceEnd(bytes, at, end);
    const byte = at < end ? (bytes[at] as number) : -1;
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      at = spaceEnd(bytes, at + 1, end);
      if (at < end && bytes[at] === byte + TO_CLOSE) at += 1;
      else {
        if (depth === MAX_VALUE_DEPTH) return tooDeep();
        open[depth] = byte;
        depth += 1;
        if (byte === OPEN_OBJECT) at = keyEnd(bytes, at, end);
        continue;
      }
    } else at = scalarEnd(bytes, at, end, byte, rules.rounded);
    // Behind a value: out of all that ends here, to where the next one begins.
    while (at >= 0) {
      at = spaceEnd(bytes, at, end);
      if (depth === 0) return at === end ? undefined : wrong(at - start);
      const bracket = open[depth - 1] as number;
      const next = at < end ? (bytes[at] as number) : -1;
      if (next === COMMA) {
        at = bracket === OPEN_OBJECT ? keyEnd(bytes, at + 1, end) : at + 1;
        break;
      }
      if (next !== bracket + TO_CLOSE) return wrong(at - start);
      depth -= 1;
      at += 1;
    }
  }
  return special ?? wrong(~at - start);
}

function wrong(at: number): InvalidContent {
  return new InvalidContent(`the text is not valid JSON at byte ${at}`);
}

function spaceEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && SPACES[bytes[at] as number] === 1) at += 1;
  return at;
}

/** A key and the colon behind it. */
function keyEnd(bytes: Buffer, start: number, end: number): number {
  const from = spaceEnd(bytes, start, end);
  if (from >= end || bytes[from] !== QUOTE) return ~from;
  const to = stringEnd(bytes, from, end);
  if (to < 0) return to;
  if (isProto(bytes, from, to)) {
    special = new InvalidContent(`a key is ${PROTO}`);
    return ~from;
  }
  const colon = spaceEnd(bytes, to, end);
  return colon < end && bytes[colon] === COLON ? colon + 1 : ~colon;
}

/** Whether a string, with its quotes, is `__proto__`, also when it is written with escapes. */
function isProto(bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start + 1];
  if ((first !== UNDERSCORE && first !== BACKSLASH) || end - start > LONGEST_PROTO) return false;
  return JSON.parse(bytes.toString("utf8", start, end)) === PROTO;
}

function scalarEnd(bytes: Buffer, start: number, end: number, first: number, rounded: boolean): number {
  if (first === QUOTE) return stringEnd(bytes, start, end);
  if (first === MINUS || isDigit(first)) return numberEnd(bytes, start, end, rounded);
  const word = first === 0x74 ? "true" : first === 0x66 ? "false" : "null";
  for (let index = 0; index < word.length; index += 1) {
    const at = start + index;
    if (at >= end || bytes[at] !== word.charCodeAt(index)) return ~at;
  }
  return start + word.length;
}

function stringEnd(bytes: Buffer, start: number, end: number): number {
  const near = Math.min(end, start + LONG_STRING);
  for (let at = start + 1; at < near; at += 1) {
    const byte = bytes[at] as number;
    if (SPECIAL[byte] === 0) continue;
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH) return ~at;
    at = escapeEnd(bytes, at, end);
    if (at < 0) return at;
  }
  return near === end ? ~end : longStringEnd(bytes, near, end);
}

/** From the backslash to the last character of an escape. */
function escapeEnd(bytes: Buffer, start: number, end: number): number {
  const at = start + 1;
  if (at >= end) return ~end;
  const byte = bytes[at] as number;
  if (byte !== LOWER_U) return ESCAPED[byte] === 1 ? at : ~at;
  for (let digit = 1; digit <= 4; digit += 1) {
    if (at + digit >= end || !isHexDigit(bytes[at + digit] as number)) return ~(at + digit);
  }
  return at + 4;
}

/** The first quote that no backslash stands before which is not one of a pair. */
function longStringEnd(bytes: Buffer, start: number, end: number): number {
  for (let at = start; ; at += 1) {
    at = findByte(bytes, QUOTE, at, end);
    if (at === -1) return ~end;
    let backslash = at;
    while (bytes[backslash - 1] === BACKSLASH) backslash -= 1;
    if ((at - backslash) % 2 === 0) return at + 1;
  }
}

function numberEnd(bytes: Buffer, start: number, end: number, rounded: boolean): number {
  const from = bytes[start] === MINUS ? start + 1 : start;
  let at = digitsEnd(bytes, from, end);
  const digits = at - from;
  if (digits === 0 || (digits > 1 && bytes[from] === ZERO)) return ~from;
  let isWhole = true;
  let hasExponent = false;
  if (at < end && bytes[at] === POINT) {
    isWhole = false;
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction, end);
    if (at === fraction) return ~at;
  }
  if (at < end && ((bytes[at] as number) | TO_LOWER) === LOWER_E) {
    isWhole = false;
    hasExponent = true;
    at += 1;
    if (at < end && (bytes[at] === PLUS || bytes[at] === MINUS)) at += 1;
    const exponent = at;
    at = digitsEnd(bytes, exponent, end);
    if (at === exponent) return ~at;
  }
  const isLong = isWhole ? digits >= INEXACT_DIGITS : at - start > EXTREME_LENGTH;
  if (rounded || !(isLong || hasExponent)) return at;
  const text = bytes.toString("latin1", start, at);
  if (isWhole ? isExact(text) : survivesExtremes(text)) return at;
  const shown = text.length > LONGEST_SHOWN_NUMBER ? `${text.slice(0, LONGEST_SHOWN_NUMBER)}...` : text;
  special = new InvalidContent(`the number ${shown} would be ${Number(text)} here; send it as a text`);
  return ~start;
}

function digitsEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(bytes[at] as number)) at += 1;
  return at;
}

/** Whether a whole number is the same in JavaScript: exactly, or as the shortest text for what it becomes. */
function isExact(text: string): boolean {
  const value = Number(text);
  if (Number.isSafeInteger(value) || String(value) === text) return true;
  return Number.isFinite(value) && BigInt(value) === BigInt(text);
}

/** Whether a number does not become infinite in JavaScript, nor 0 when it is not. */
function survivesExtremes(text: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && (value !== 0 || !/^[^eE]*[1-9]/.test(text));
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isHexDigit(byte: number): boolean {
  const letter = byte | TO_LOWER;
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66);
}

function tableOf(holds: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (holds(byte) ? 1 : 0));
}
