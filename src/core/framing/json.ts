/** Messages that are JSON values (RFC 8259). */

import { decodeUtf8 } from "../bytes/utf8.ts";
import type { MessageFormat } from "./codec.ts";
import { frameInvalid, messageInvalid } from "./frame-error.ts";

const NAME = "json";

/**
 * Messages that are JSON values (RFC 8259), each in one line: `chain(lines(), json())` is what is known as NDJSON.
 *
 * Receiving: text that is not valid JSON or not valid UTF-8 is `FRAME_INVALID`, whose `cause` says where. Of two members
 * with one name the last counts. A member `__proto__` is an ordinary one; be careful where you copy it. A value may be nested
 * as deeply as the limit of the boundary has bytes for: whatever walks it by recursion, `JSON.stringify` too, can exhaust the
 * stack (`msgpack()` allows 64 levels). What the value is like is not checked: the type parameter is a promise of the peer,
 * so validate what matters.
 *
 * Sending follows `JSON.stringify`: `toJSON` is called; members that are `undefined` are left out; NaN and the infinities
 * become null. A message that has no JSON at all (`undefined`, a function), a cycle and a big integer are `FRAME_INVALID`
 * with side `local`.
 *
 * @typeParam In - What may be sent.
 * @typeParam Out - What is received; default: the same.
 *
 * @example
 * ```ts
 * import { chain, json, lines } from "zocalo/framing";
 * const codec = chain(lines(), json<{ n: number }>());
 * codec.createDecoder().decode(Buffer.from('{"n":1}\n'), 0, 8, ({ n }) => console.log(n)); // 1
 * ```
 */
export function json<In = unknown, Out = In>(): MessageFormat<In, Out> {
  return FORMAT as MessageFormat<In, Out>;
}

const FORMAT: MessageFormat<unknown> = {
  name: NAME,
  decode(bytes: Buffer, start: number, end: number): unknown {
    const source = decodeUtf8(bytes, start, end);
    if (source === undefined) throw frameInvalid(NAME, "the bytes are not valid UTF-8");
    try {
      return JSON.parse(source) as unknown;
    } catch (cause) {
      throw frameInvalid(NAME, "the text is not valid JSON", cause);
    }
  },
  encode(message: unknown): string {
    let source: string | undefined;
    try {
      source = JSON.stringify(message) as string | undefined;
    } catch (cause) {
      throw messageInvalid(NAME, "the message has no JSON form", cause);
    }
    if (source === undefined)
      throw messageInvalid(NAME, `the message has no JSON form; it is of type ${typeof message}`);
    return source;
  },
};
