/** A codec of one's own whose decoder keeps its place inside a message. */

import type { ByteWriter } from "../bytes/byte-writer.ts";
import { ZocaloError } from "../errors.ts";
import type { Boundary, Decoder, Framer, FrameSpan, MessageFormat } from "./codec.ts";
import { FrameCodec } from "./frame-codec.ts";
import { FrameDecoder } from "./frame-decoder.ts";
import { frameInvalid, frameTooLong, messageInvalid, messageTooLong, thrownReason } from "./frame-error.ts";
import { DEFAULT_MAX_FRAME_BYTES } from "./frame-limit.ts";
import { type MessageParser, ParserInput } from "./parser-input.ts";

/** What `defineCodec` has to know of a codec with a parser. */
export interface ParserDefinition<In, Out = In> {
  /** Names the codec in errors: letters, digits and `_`. */
  readonly name: string;
  /** Most bytes of a message, everything counted. Default 8 MiB. */
  readonly maxFrameBytes?: number | undefined;
  /** A parser for one stream. It is called again when a message is given up, as by `detach` in the middle of one. */
  parser(): MessageParser<Out>;
  /** Writes all bytes of a message. What was written before it throws is not sent. */
  encode(message: In, writer: ByteWriter): void;
  /** Copies what of a message is a view of the bytes that the parser was given. Default: nothing is. */
  readonly own?: ((message: Out) => Out) | undefined;
}

/** A codec made from a {@link ParserDefinition}. */
export class ParsedCodec<In, Out> extends FrameCodec<In, Out> {
  readonly #definition: ParserDefinition<In, Out>;

  constructor(definition: ParserDefinition<In, Out>) {
    const boundary = new ParserBoundary(definition);
    super(boundary, boundary.createFramer());
    this.#definition = definition;
  }

  override createDecoder(): Decoder<Out> {
    const stream = new ParserFramer(this.#definition);
    return new FrameDecoder(this.boundary, stream, stream);
  }

  override encode(message: In, writer: ByteWriter): void {
    const before = writer.length;
    writer.mark();
    try {
      this.#definition.encode(message, writer);
      checkSent(this.boundary, writer.length - before);
    } catch (cause) {
      writer.rewind();
      throw cause instanceof ZocaloError ? cause : messageInvalid(this.name, thrownReason(cause), cause);
    }
  }
}

/** Refuses to send what a receiver of the same codec would not take. */
export function checkSent({ name, maxFrameBytes }: Boundary, bytes: number): void {
  if (bytes > maxFrameBytes) throw messageTooLong(name, bytes, maxFrameBytes);
  if (bytes === 0) throw messageInvalid(name, "a message must have at least one byte");
}

class ParserBoundary<In, Out> implements Boundary {
  readonly name: string;
  readonly maxFrameBytes: number;
  readonly #definition: ParserDefinition<In, Out>;

  constructor(definition: ParserDefinition<In, Out>) {
    this.name = definition.name;
    this.maxFrameBytes = definition.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES;
    this.#definition = definition;
  }

  createFramer(): ParserFramer<In, Out> {
    return new ParserFramer(this.#definition);
  }

  /** For another format, which has made the bytes already. */
  frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void {
    checkSent(this, end - start);
    writer.append(bytes, start, end);
  }
}

/** Finds the messages of one stream, and has each when it is found. */
class ParserFramer<In, Out> implements Framer, MessageFormat<In, Out> {
  readonly name: string;
  readonly own?: (message: Out) => Out;
  readonly #definition: ParserDefinition<In, Out>;
  readonly #input = new ParserInput();
  #parser: MessageParser<Out>;
  /** The parser has read so much of a message that is not complete. */
  #readBytes = 0;
  /** It is in the middle of a message. */
  #isInside = false;
  #message: Out | undefined;

  constructor(definition: ParserDefinition<In, Out>) {
    this.name = definition.name;
    this.#definition = definition;
    this.#parser = definition.parser();
    const { own } = definition;
    if (own !== undefined) this.own = (message) => own(message);
  }

  find(bytes: Buffer, start: number, end: number, span: FrameSpan): number {
    const input = this.#input;
    if (span.seen === start) {
      // The one before was given up.
      if (this.#isInside) this.#parser = this.#definition.parser();
      this.#readBytes = 0;
      input.begin();
    }
    input.bytes = bytes;
    input.start = start;
    input.at = start + this.#readBytes;
    input.end = end;
    input.seen = span.seen;
    input.neededBytes = 0;
    let message: Out | undefined;
    try {
      message = this.#parser.parse(input);
    } catch (cause) {
      throw cause instanceof ZocaloError ? cause : frameInvalid(this.name, thrownReason(cause), cause);
    }
    const { at, neededBytes } = input;
    if (!(Number.isInteger(at) && at >= start + this.#readBytes && at <= end)) {
      throw this.#wrong(`reads to ${at}, outside of its bytes`);
    }
    if (!(neededBytes >= 0)) throw this.#wrong(`sets neededBytes to ${neededBytes}`);
    this.#isInside = message === undefined;
    const bytesKnown = this.#isInside ? Math.max(end - start + 1, at - start + Math.ceil(neededBytes)) : at - start;
    if (bytesKnown > span.limit) throw frameTooLong(this.name, span.limit);
    if (this.#isInside) {
      this.#readBytes = at - start;
      return -bytesKnown;
    }
    if (at === start) throw this.#wrong("answers a message of no bytes");
    this.#message = message;
    span.from = start;
    span.to = at;
    return at;
  }

  /** The message that was found last. */
  decode(): Out {
    return this.#message as Out;
  }

  encode(message: In): Uint8Array | string {
    throw messageInvalid(this.name, `${typeof message}: a codec with a parser has no format of its own`);
  }

  #wrong(problem: string): ZocaloError {
    return frameInvalid(this.name, `the codec is wrong: its parser ${problem}`);
  }
}
