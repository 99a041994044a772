/** Messages that are MessagePack values. */

import * as msgpackr from "msgpackr/pack";
import { ZocaloError } from "../errors.ts";
import type { MessageFormat } from "./codec.ts";
import { frameInvalid, messageInvalid } from "./frame-error.ts";
import { checkMessagePack } from "./msgpack-check.ts";
import { checkSendable } from "./msgpack-sendable.ts";

const NAME = "msgpack";

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
 * over. Of two members with one name the last counts. Dates keep milliseconds. Bytes are copies. What the value is like
 * is not checked: the type parameter is a promise of the peer, so validate what matters.
 *
 * Sending: `undefined`, functions, symbols, big integers, `Map`, `Set`, objects of a class, holes in arrays, invalid dates and
 * cycles are `FRAME_INVALID` with side `local`; nothing is changed or left out silently. Only -0 arrives as 0.
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
export function msgpack<In = unknown, Out = In>(): MessageFormat<In, Out> {
  return FORMAT as MessageFormat<In, Out>;
}

const FORMAT: MessageFormat<unknown> = {
  name: NAME,
  decode(bytes: Buffer, start: number, end: number): unknown {
    checkMessagePack(NAME, bytes, start, end);
    try {
      // A view of its own: msgpackr leaves a property on what it is given.
      return unpackr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start));
    } catch (cause) {
      throw frameInvalid(NAME, "the bytes are not valid MessagePack", cause);
    }
  },
  encode(message: unknown): Uint8Array {
    try {
      checkSendable(NAME, message);
      return packr.pack(message);
    } catch (cause) {
      // A getter of the message can throw anything.
      throw cause instanceof ZocaloError ? cause : messageInvalid(NAME, "the message has no MessagePack form", cause);
    }
  },
};
