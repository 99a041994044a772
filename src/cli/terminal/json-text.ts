/** Values of a peer as JSON that is safe to show. */

import { ProtocolError } from "../../index.ts";

/** Characters that JSON leaves as they are, and that a terminal may take for orders. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

/** How bytes are written, for which JSON has no form. */
export type BytesText = "base64" | "hex";

/**
 * A value as JSON on one line, with nothing in it that gives orders to a terminal. Bytes, dates and big integers become texts; a
 * value that is not there is null, a member that is not there is left out.
 *
 * @throws ProtocolError `FRAME_INVALID`: NaN, a `Map` and the like would be shown as something else, and what is nested too
 * deeply cannot be shown.
 */
export function jsonText(value: unknown, bytes: BytesText = "base64"): string {
  try {
    return safeJson(written(value, bytes));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw unshowable("it is nested too deeply to be shown", cause);
  }
}

/** JSON text that a peer has sent, with nothing in it that gives orders to a terminal. It stays the same value. */
export function safeJson(text: string): string {
  // A CR is white space there.
  const line = text.replaceAll("\r", " ");
  return line.replaceAll(UNSAFE, (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function written(value: unknown, bytes: BytesText): string {
  switch (typeof value) {
    case "undefined":
      return "null";
    case "bigint":
      return `"${value}"`;
    case "number":
      if (Number.isFinite(value)) return numberText(value);
      throw unshowable(`JSON has no ${value}`);
    case "object":
      return value === null ? "null" : writtenObject(value, bytes);
    case "string":
    case "boolean":
      return JSON.stringify(value);
    default:
      throw unshowable(`JSON has no ${typeof value}`);
  }
}

function writtenObject(value: object, bytes: BytesText): string {
  if (value instanceof Uint8Array) {
    return `"${Buffer.from(value.buffer, value.byteOffset, value.length).toString(bytes)}"`;
  }
  if (value instanceof Date && Number.isNaN(value.getTime())) throw unshowable("a date is not valid");
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === "function") return written(toJSON.call(value), bytes);
  if (Array.isArray(value)) return `[${value.map((element) => written(element, bytes)).join(",")}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw unshowable(`JSON has no ${value.constructor.name}`);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${written(member, bytes)}`).join(",")}}`;
}

function unshowable(problem: string, cause?: unknown): ProtocolError {
  return new ProtocolError("FRAME_INVALID", {
    op: "decode",
    detail: `the message cannot be shown as JSON: ${problem}`,
    cause,
  });
}

/** Strings, numbers and what is between them, in text that is known to be JSON. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}[\]:]/g;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
const LONGEST_SHOWN = 40;

/** What JSON cannot be turned into a value without being changed. */
export class InexactJson extends Error {
  override readonly name: string = "InexactJson";
}

/**
 * The value of JSON text.
 *
 * @throws SyntaxError it is no JSON. InexactJson a number would be another one in JavaScript, or an object has two members
 * with one name, of which one would be lost.
 */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const problem = problemOf(text);
  if (problem !== undefined) throw new InexactJson(problem);
  return value;
}

function problemOf(text: string): string | undefined {
  /** The keys of each object around the place of now; undefined for an array. */
  const around: (Set<string> | undefined)[] = [];
  let last = "";
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "{" || token === "[") around.push(token === "{" ? new Set() : undefined);
    else if (token === "}" || token === "]") around.pop();
    else if (token === ":") {
      const keys = around.at(-1);
      const key = JSON.parse(last) as string;
      if (keys?.has(key) === true) return `there are two members ${shown(last)}, and only one can be sent`;
      keys?.add(key);
    } else if (!token.startsWith('"') && !survives(token)) {
      return `the number ${shown(token)} would become ${numberText(Number(token))}; write it as a text, in quotes`;
    }
    last = token;
  }
  return undefined;
}

/** A number as JSON, and as a person reads it. */
function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Whether a number has the same decimal digits when it has been a number of JavaScript. */
function survives(token: string): boolean {
  return decimal(token) === decimal(numberText(Number(token)));
}

/** One text for each number, however it is written: `1.50e1` and `15` are the same. Undefined for an infinite one. */
function decimal(token: string): string | undefined {
  const [, sign, whole = "", fraction = "", exponent = "0"] = NUMBER.exec(token) ?? [];
  if (sign === undefined) return undefined;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  return significant === "" ? `${sign}0` : `${sign}${significant}e${power}`;
}

function shown(token: string): string {
  return token.length > LONGEST_SHOWN ? `${token.slice(0, LONGEST_SHOWN)}...` : token;
}
