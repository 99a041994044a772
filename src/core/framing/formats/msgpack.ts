/** Messages that are MessagePack values. */

import * as msgpackr from "msgpackr/pack";
import { ZocaloError } from "../../errors.ts";
import { checkOptions } from "../../options/check-options.ts";
import type { MessageFormat } from "../codec.ts";
import { contentUnsendable, InvalidContent, messageInvalid, validContent } from "../frame-error.ts";
import { problemOfMessagePack } from "./msgpack-check.ts";
import { FINE, type FormatKinds, PlainValue } from "./plain-value.ts";
import { DEFAULT_MAX_VALUES, VALUE_RULES, type ValueOptions } from "./value-limits.ts";

const NAME = "msgpack";
/** The double -0. */
const NEGATIVE_ZERO: Uint8Array = Uint8Array.of(0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0);

/** Options of {@link msgpack}. */
export interface MsgpackOptions extends ValueOptions {}

/** What is used of msgpackr; the types of its entry without the native addon do not resolve. */
interface Library {
  readonly Packr: new (options: object) => { pack(value: unknown): Uint8Array };
  readonly Unpackr: new (options: object) => { unpack(bytes: Uint8Array): unknown };
}

const library = msgpackr as unknown as Library;
// No records: they are an extension of msgpackr, and the only thing for which it generates code at run time.
const packr = new library.Packr({ useRecords: false, variableMapSize: true, useToJSON: false });
const unpackr = new library.Unpackr({ useRecords: false, int64AsType: "number", copyBuffers: true });

/**
 * Messages that are MessagePack values, restricted to what every implementation agrees on: nil, booleans, numbers, text,
 * bytes (`Uint8Array`), timestamps (`Date`), arrays, and maps with text as keys (plain objects), at most 64 deep.
 *
 * Receiving: the bytes are checked before they are decoded. Anything else is `FRAME_INVALID`: other extensions, deeper
 * nesting, an integer beyond 2^53 - 1, text that is not valid UTF-8, a key that is not text or is `__proto__`, bytes left
 * over. More than `maxValues` values are `FRAME_TOO_LONG`. Of two members with one name the last counts. Dates keep
 * milliseconds. Bytes are copies. What the value is like is not checked: the type parameter is a promise of the peer, so
 * validate what matters.
 *
 * Sending: `undefined`, functions, symbols, big integers, `Map`, `Set`, objects of a class, holes in arrays, invalid dates, half
 * of a surrogate pair, symbols as keys, `__proto__` as one, a `toJSON` and cycles are `FRAME_INVALID` with side `local`, and the
 * error names the place, as in `value.users[3].name`. Nothing is changed or left out silently, except that members which are
 * not enumerable are no part of the message, and bytes arrive as `Uint8Array`, an object without a prototype as a plain one.
 *
 * The work is done by `msgpackr`. Its native addon is not loaded on Node, and no code is generated at run time.
 *
 * @typeParam In - What may be sent.
 * @typeParam Out - What is received; default: the same.
 *
 * @example
 * ```ts
 * import { ByteWriter, chain, lengthPrefix, msgpack } from "zocalo/framing";
 * const codec = chain(lengthPrefix(), msgpack<{ n: number }>());
 * const writer = new ByteWriter();
 * codec.encode({ n: 1 }, writer);
 * console.log(writer.take().chunks[0]); // <Buffer 00 00 00 04 81 a1 6e 01>
 * ```
 *
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function msgpack<In = unknown, Out = In>(options: MsgpackOptions = {}): MessageFormat<In, Out> {
  const { maxValues = DEFAULT_MAX_VALUES } = checkOptions({ op: NAME }, options, VALUE_RULES);
  return new MsgpackFormat(maxValues) as MessageFormat<unknown, unknown> as MessageFormat<In, Out>;
}

class MsgpackFormat implements MessageFormat<unknown> {
  readonly name = NAME;
  readonly #maxValues: number;

  constructor(maxValues: number) {
    this.#maxValues = maxValues;
  }

  decode(bytes: Buffer, start: number, end: number): unknown {
    return validContent(NAME, this.tryDecode(bytes, start, end));
  }

  tryDecode(bytes: Buffer, start: number, end: number): unknown {
    const problem = problemOfMessagePack(bytes, start, end, this.#maxValues);
    if (problem !== undefined) return problem;
    try {
      // A view of its own: msgpackr leaves a property on what it is given.
      return unpackr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start));
    } catch (cause) {
      return new InvalidContent("the bytes are not valid MessagePack", "FRAME_INVALID", cause);
    }
  }

  encode(message: unknown): Uint8Array {
    const plain = new PlainValue(MESSAGEPACK_KINDS, this.#maxValues);
    try {
      const problem = plain.problemOf(message);
      if (problem !== undefined) throw contentUnsendable(NAME, problem);
      if (!plain.hasNegativeZero) return packr.pack(message);
      const pieces: Uint8Array[] = [];
      packPieces(message, pieces);
      return Buffer.concat(pieces);
    } catch (cause) {
      // A getter of the message can throw anything.
      throw cause instanceof ZocaloError ? cause : messageInvalid(NAME, "the message has no MessagePack form", cause);
    }
  }
}

/** Puts a message together piece by piece, because msgpackr writes -0 as 0. */
function packPieces(value: unknown, pieces: Uint8Array[]): void {
  if (Object.is(value, -0)) pieces.push(NEGATIVE_ZERO);
  else if (Array.isArray(value)) {
    pieces.push(headOf(0x90, 0xdc, value.length));
    for (const element of value) packPieces(element, pieces);
  } else if (typeof value === "object" && value !== null && MESSAGEPACK_KINDS.problemOf?.(value) !== FINE) {
    const members = Object.entries(value);
    pieces.push(headOf(0x80, 0xde, members.length));
    for (const [key, member] of members) {
      pieces.push(packr.pack(key));
      packPieces(member, pieces);
    }
  } else pieces.push(packr.pack(value));
}

/** The head of an array or a map: in the first token, or behind one that has two bytes for it, or the next one, with four. */
function headOf(shortToken: number, longToken: number, count: number): Uint8Array {
  if (count < 16) return Buffer.of(shortToken | count);
  const head = Buffer.alloc(count < 65_536 ? 3 : 5);
  head[0] = count < 65_536 ? longToken : longToken + 1;
  head.writeUIntBE(count, 1, head.length - 1);
  return head;
}

/** The kinds of MessagePack. A subclass of `Date` would arrive as a `Date`; any `Uint8Array` is bytes. */
export const MESSAGEPACK_KINDS: FormatKinds = {
  allNumbers: true,
  problemOf(value) {
    if (value instanceof Uint8Array && ArrayBuffer.isView(value)) return FINE;
    if (!isDate(value)) return undefined;
    return Number.isNaN(value.getTime()) ? "is a date that is not valid" : FINE;
  },
};

/** Whether it is a `Date`, and not of a class derived from it: between it and `Object` is one prototype. */
function isDate(value: object): value is Date {
  if (Object.prototype.toString.call(value) !== "[object Date]") return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype !== null && Object.getPrototypeOf(prototype) === Object.prototype;
}
