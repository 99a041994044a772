/** Messages that are JSON values (RFC 8259). */

import { decodeUtf8 } from "../../bytes/utf8.ts";
import { ZocaloError } from "../../errors.ts";
import { checkOptions, oneOf, type RulesOf } from "../../options/check-options.ts";
import type { MessageFormat } from "../codec.ts";
import { contentUnsendable, InvalidContent, messageInvalid, validContent } from "../frame-error.ts";
import { type JsonRules, problemOfJson } from "./json-check.ts";
import { type FormatKinds, PlainValue } from "./plain-value.ts";
import { DEFAULT_MAX_VALUES, VALUE_RULES, type ValueOptions } from "./value-limits.ts";

const NAME = "json";
const RULES: RulesOf<JsonOptions> = { ...VALUE_RULES, inexact: oneOf("error", "round") };

const NOT_UTF8 = new InvalidContent("the bytes are not valid UTF-8");

/** JSON has nothing beside plain values, and no form for NaN and the infinities. */
const KINDS: FormatKinds = { allNumbers: false };

/** Options of {@link json}. */
export interface JsonOptions extends ValueOptions {
  /**
   * What to do with a received number that JavaScript does not have: a whole number beyond 2^53 - 1 that is not exact, and one
   * so large or small that it would be infinite or 0. `error` (the default, `FRAME_INVALID`), because an id that was rounded
   * is another one, or `round`, which takes the nearest, as `JSON.parse` does. Fractions are always the nearest.
   */
  readonly inexact?: "error" | "round" | undefined;
}

/**
 * Messages that are JSON values (RFC 8259), each in one line: `chain(lines(), json())` is what is known as NDJSON.
 *
 * Receiving: the text is checked before it is parsed. What is not valid JSON or not valid UTF-8, deeper than 64, or has a key
 * `__proto__` or a number that JavaScript does not have is `FRAME_INVALID`; more than `maxValues` values are
 * `FRAME_TOO_LONG`. Of two members with one name the last counts. What the value is like is not checked: the type parameter is
 * a promise of the peer, so validate what matters.
 *
 * Sending: plain objects, arrays, texts, finite numbers, booleans and null. Anything else would be left out or changed by
 * `JSON.stringify`, and is `FRAME_INVALID` with side `local`: `undefined`, NaN and the infinities, functions, symbols, big
 * integers, `Date`, `Map`, `Set`, bytes, objects of a class, holes in arrays, half of a surrogate pair, symbols as keys,
 * `__proto__` as one, a `toJSON`, cycles. The error names the place, as in `value.users[3].name`. Members which are not
 * enumerable are no part of the message; an object without a prototype arrives as a plain one.
 *
 * @typeParam In - What may be sent.
 * @typeParam Out - What is received; default: the same.
 * @throws UsageError `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { chain, json, lines } from "zocalo/framing";
 * const codec = chain(lines(), json<{ n: number }>());
 * codec.createDecoder().decode(Buffer.from('{"n":1}\n'), 0, 8, ({ n }) => console.log(n)); // 1
 * ```
 */
export function json<In = unknown, Out = In>(options: JsonOptions = {}): MessageFormat<In, Out> {
  const { inexact = "error", maxValues = DEFAULT_MAX_VALUES } = checkOptions({ op: NAME }, options, RULES);
  return new JsonFormat({ maxValues, rounded: inexact === "round" }) as MessageFormat<
    unknown,
    unknown
  > as MessageFormat<In, Out>;
}

class JsonFormat implements MessageFormat<unknown> {
  readonly name = NAME;
  readonly #rules: JsonRules;

  constructor(rules: JsonRules) {
    this.#rules = rules;
  }

  decode(bytes: Buffer, start: number, end: number): unknown {
    return validContent(NAME, this.tryDecode(bytes, start, end));
  }

  tryDecode(bytes: Buffer, start: number, end: number): unknown {
    const problem = problemOfJson(bytes, start, end, this.#rules);
    if (problem !== undefined) return problem;
    const source = decodeUtf8(bytes, start, end);
    if (source === undefined) return NOT_UTF8;
    try {
      return JSON.parse(source) as unknown;
    } catch (cause) {
      return new InvalidContent("the text is not valid JSON", "FRAME_INVALID", cause);
    }
  }

  encode(message: unknown): string {
    const plain = new PlainValue(KINDS, this.#rules.maxValues);
    try {
      const problem = plain.problemOf(message);
      if (problem !== undefined) throw contentUnsendable(NAME, problem);
      return plain.hasNegativeZero ? textOf(message) : JSON.stringify(message);
    } catch (cause) {
      // A getter of the message can throw anything.
      throw cause instanceof ZocaloError ? cause : messageInvalid(NAME, "the message has no JSON form", cause);
    }
  }
}

/** The text of a plain value, with -0, which `JSON.stringify` writes as 0. */
function textOf(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, member]) => `${JSON.stringify(key)}:${textOf(member)}`)
    .join(",")}}`;
}
