/** Values of a peer as JSON that is safe to show. */

import { ProtocolError } from "../../index.ts";
import { numberText } from "./exact-json.ts";

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
