/** Which values may be sent as MessagePack. */

import { isEncodable } from "../bytes/utf8.ts";
import { messageInvalid } from "./frame-error.ts";
import { MAX_MESSAGEPACK_DEPTH } from "./msgpack-check.ts";

/**
 * Throws `FRAME_INVALID` with side `local` unless every part of `value` has exactly one form in MessagePack that comes out
 * of it as it went in: null, booleans, numbers, text, `Uint8Array`, valid dates, arrays without holes, and plain objects,
 * at most 64 deep.
 */
export function checkSendable(name: string, value: unknown): void {
  const problem = problemOf(value, 0);
  if (problem !== undefined) throw messageInvalid(name, problem);
}

function problemOf(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case "boolean":
    case "number":
      return undefined;
    case "string":
      return isEncodable(value) ? undefined : "a text has half of a surrogate pair and no UTF-8";
    case "object":
      return value === null ? undefined : problemOfObject(value, depth);
    default:
      return `a part of the message is of type ${typeof value}, which has no form`;
  }
}

function problemOfObject(value: object, depth: number): string | undefined {
  if (value instanceof Uint8Array) return undefined;
  if (Object.prototype.toString.call(value) === "[object Date]") {
    return Number.isNaN((value as Date).getTime()) ? "a date is not valid" : undefined;
  }
  if (depth >= MAX_MESSAGEPACK_DEPTH) return `the message is nested deeper than ${MAX_MESSAGEPACK_DEPTH}, or in itself`;
  if (Array.isArray(value)) return problemOfArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return `a part of the message is of class ${value.constructor.name}; send plain objects and arrays`;
  }
  return problemOfRecord(value as Readonly<Record<string, unknown>>, depth);
}

function problemOfArray(value: readonly unknown[], depth: number): string | undefined {
  // By index, so that a hole is seen as undefined.
  for (let index = 0; index < value.length; index += 1) {
    const problem = problemOf(value[index], depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemOfRecord(value: Readonly<Record<string, unknown>>, depth: number): string | undefined {
  for (const key of Object.keys(value)) {
    if (key === "__proto__") return "a member is called __proto__, which cannot be received";
    const problem = isEncodable(key) ? problemOf(value[key], depth + 1) : "a key has half of a surrogate pair";
    if (problem !== undefined) return problem;
  }
  return undefined;
}
