/** A codec of one's own. */

import { checkOptions, FUNCTION, type OptionRule, type RulesOf } from "../options/check-options.ts";
import type { ByteWriter } from "../bytes/byte-writer.ts";
import { ZocaloError } from "../errors.ts";
import { viewBytes } from "../bytes/byte-range.ts";
import type { FrameSpan, MessageFormat } from "./codec.ts";
import { FrameCodec, StatelessBoundary } from "./frame-codec.ts";
import { frameInvalid, frameTooLong, messageInvalid, thrownReason } from "./frame-error.ts";
import { LIMIT } from "./frame-limit.ts";
import { checkSent, ParsedCodec, type ParserDefinition } from "./parsed-codec.ts";

/** What {@link defineCodec} has to know. */
export interface CodecDefinition<In, Out = In> {
  /** Names the codec in errors: letters, digits and `_`. */
  readonly name: string;
  /** Most bytes of a message, everything counted. Default 8 MiB. */
  readonly maxFrameBytes?: number | undefined;
  /**
   * How many bytes the message has that begins at `start`, everything counted; undefined when `bytes[start, end)` is not
   * enough to say. Called again for the same message when there is more; `seen` is where the search can go on then, since
   * what stands before it was there the last time. `end` is always greater than `start`.
   */
  frameLength(bytes: Buffer, start: number, end: number, seen: number): number | undefined;
  /**
   * The message, from all its bytes. They are a view that is valid only during the call: copy what must last, or say in
   * `own` how.
   */
  decode(frame: Buffer): Out;
  /** All bytes of a message; a string stands for its UTF-8. The bytes must not be changed afterwards. */
  encode(message: In): Uint8Array | string;
  /** Copies what of a message is a view of the bytes that `decode` was given. Default: nothing is. */
  readonly own?: ((message: Out) => Out) | undefined;
}

const REQUIRED: OptionRule = { ...FUNCTION, required: true };
const COMMON_RULES = {
  name: {
    wanted: "a name of letters, digits and _",
    holds: (value: unknown): boolean => typeof value === "string" && /^\w+$/.test(value),
    required: true,
  },
  maxFrameBytes: LIMIT,
  encode: REQUIRED,
  own: FUNCTION,
};
const RULES: RulesOf<CodecDefinition<never, never>> = { ...COMMON_RULES, frameLength: REQUIRED, decode: REQUIRED };
const PARSER_RULES: RulesOf<ParserDefinition<never, never>> = { ...COMMON_RULES, parser: REQUIRED };

/**
 * Makes a codec of one's own. Limits, cut bytes, bounded memory and the end of the stream are taken care of. `codecSuite` of
 * `zocalo/testing` checks the result.
 *
 * Where a message begins with its length or ends with a mark, three functions do: how long a message is, what its bytes mean,
 * and back. Where its length is known only by reading it, as in nested formats, give a `parser`: it keeps its place from one
 * piece to the next, so that the time is linear. With `frameLength` such a message would be walked again at each piece.
 *
 * What `frameLength`, `decode` and `parse` throw is `FRAME_INVALID` with its text and that as its `cause`, and so is a length
 * below 1; what `encode` throws is `FRAME_INVALID` with side `local`.
 *
 * @throws UsageError `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { defineCodec } from "zocalo/framing";
 * // A type of one byte, a length of one byte, and so many bytes.
 * const tlv = defineCodec<{ type: number; value: Uint8Array }>({
 *   name: "tlv",
 *   maxFrameBytes: 257,
 *   frameLength: (bytes, start, end) => (end - start < 2 ? undefined : 2 + bytes.readUInt8(start + 1)),
 *   decode: (frame) => ({ type: frame.readUInt8(0), value: new Uint8Array(frame.subarray(2)) }),
 *   encode: ({ type, value }) => Buffer.from([type, value.length, ...value]),
 * });
 * tlv.createDecoder().decode(Buffer.from([7, 1, 42]), 0, 3, ({ type }) => console.log(type)); // 7
 *
 * // So many words: their number, a colon, and each with a space behind it.
 * const words = defineCodec<readonly string[]>({
 *   name: "words",
 *   parser() {
 *     let list: string[] = [];
 *     let wanted = -1;
 *     return {
 *       parse(input) {
 *         if (wanted < 0) {
 *           const count = input.takeUntil(":");
 *           if (count === undefined) return undefined;
 *           [list, wanted] = [[], Number(count)];
 *           if (!(wanted <= 1000)) throw new RangeError(`${count} words`);
 *         }
 *         while (list.length < wanted) {
 *           const word = input.takeUntil(" ");
 *           if (word === undefined) return undefined;
 *           list.push(String(word));
 *         }
 *         wanted = -1;
 *         return list;
 *       },
 *     };
 *   },
 *   encode: (list, writer) => writer.text(`${list.length}:${list.map((word) => `${word} `).join("")}`),
 * });
 * words.createDecoder().decode(Buffer.from("2:hola mundo "), 0, 13, (list) => console.log(list.length)); // 2
 * ```
 */
export function defineCodec<In, Out = In>(definition: ParserDefinition<In, Out>): FrameCodec<In, Out>;
/** Makes a codec of messages whose length is known from their head or their mark. */
export function defineCodec<In, Out = In>(definition: CodecDefinition<In, Out>): FrameCodec<In, Out>;
export function defineCodec<In, Out = In>(
  definition: CodecDefinition<In, Out> | ParserDefinition<In, Out>,
): FrameCodec<In, Out> {
  // Not the copy: a function of the definition may use others of it.
  checkOptions({ op: "defineCodec" }, definition ?? null, hasParser(definition) ? PARSER_RULES : RULES);
  if (hasParser(definition)) return new ParsedCodec(definition);
  return new FrameCodec(new DefinedBoundary(definition), definedFormat(definition));
}

function hasParser<In, Out>(
  definition: CodecDefinition<In, Out> | ParserDefinition<In, Out>,
): definition is ParserDefinition<In, Out> {
  return typeof definition === "object" && definition !== null && "parser" in definition;
}

class DefinedBoundary extends StatelessBoundary {
  readonly #definition: Pick<CodecDefinition<never>, "frameLength">;

  constructor(definition: Pick<CodecDefinition<never, unknown>, "name" | "maxFrameBytes" | "frameLength">) {
    super(definition.name, definition.maxFrameBytes);
    this.#definition = definition;
  }

  override find(bytes: Buffer, start: number, end: number, span: FrameSpan): number {
    const length = this.#length(bytes, start, end, span.seen);
    const knownBytes = length ?? end - start;
    if (knownBytes > span.limit) throw frameTooLong(this.name, span.limit);
    if (length === undefined) return -(knownBytes + 1);
    if (!Number.isInteger(length) || length < 1)
      throw frameInvalid(this.name, `a message says that it has ${length} bytes`);
    const next = start + length;
    if (next > end) return -length;
    span.from = start;
    span.to = next;
    return next;
  }

  override frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void {
    checkSent(this, end - start);
    writer.append(bytes, start, end);
  }

  #length(bytes: Buffer, start: number, end: number, seen: number): number | undefined {
    try {
      return this.#definition.frameLength(bytes, start, end, seen);
    } catch (cause) {
      throw cause instanceof ZocaloError ? cause : frameInvalid(this.name, thrownReason(cause), cause);
    }
  }
}

function definedFormat<In, Out>(definition: CodecDefinition<In, Out>): MessageFormat<In, Out> {
  const { name, own } = definition;
  const format: MessageFormat<In, Out> = {
    name,
    decode(bytes, start, end) {
      try {
        return definition.decode(viewBytes(bytes, start, end));
      } catch (cause) {
        throw cause instanceof ZocaloError ? cause : frameInvalid(name, thrownReason(cause), cause);
      }
    },
    encode(message) {
      try {
        return checkedContent(definition.encode(message));
      } catch (cause) {
        throw cause instanceof ZocaloError ? cause : messageInvalid(name, thrownReason(cause), cause);
      }
    },
  };
  return own === undefined ? format : { ...format, own: (message) => own(message) };
}

/** Programs in JavaScript return anything; nothing of it may be sent as an empty message. */
function checkedContent(content: Uint8Array | string): Uint8Array | string {
  if (typeof content === "string" || content instanceof Uint8Array) return content;
  throw new TypeError(`encode must return a Uint8Array or a string, not ${typeof content}`);
}
