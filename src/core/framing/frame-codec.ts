/** Codecs made of a boundary and a format. */

import { type ByteWriter, REFERENCE_BYTES } from "../bytes/byte-writer.ts";
import { isEncodable } from "../bytes/utf8.ts";
import { optionInvalid } from "../options/check-options.ts";
import type { Boundary, Codec, Decoder, Framer, FrameSpan, MessageFormat } from "./codec.ts";
import { FrameDecoder } from "./frame-decoder.ts";
import { messageInvalid } from "./frame-error.ts";
import { DEFAULT_MAX_FRAME_BYTES } from "./frame-limit.ts";

/** Most bytes of UTF-8 that one unit of a JavaScript string can take. */
const UTF8_BYTES_PER_UNIT = 3;

/** Where short texts become bytes before they are framed. Too small to be passed on by reference, so it is free again. */
const scratch = new Uint8Array(REFERENCE_BYTES - 1);
const encoder = new TextEncoder();

/**
 * A codec made of its two parts. All codecs of Zócalo are of this class, and {@link chain} takes them apart to give a
 * boundary another format.
 */
export class FrameCodec<In, Out = In> implements Codec<In, Out> {
  /** Names the codec in errors. */
  readonly name: string;
  /** Where messages begin and end. */
  readonly boundary: Boundary;
  /** What their bytes mean. */
  readonly format: MessageFormat<In, Out>;

  /** @param name - Names the codec in errors. Default: the name of the boundary. */
  constructor(boundary: Boundary, format: MessageFormat<In, Out>, name: string = boundary.name) {
    this.name = name;
    this.boundary = boundary;
    this.format = format;
  }

  /** The longest message in bytes: the limit of the boundary. */
  get maxFrameBytes(): number {
    return this.boundary.maxFrameBytes;
  }

  /** A decoder for one stream. */
  createDecoder(): Decoder<Out> {
    return new FrameDecoder(this.boundary, this.format);
  }

  /** Appends one message to what is to be sent; see {@link Codec.encode}. */
  encode(message: In, writer: ByteWriter): void {
    const content = this.format.encode(message);
    if (typeof content === "string") this.#encodeText(content, writer);
    else this.boundary.frame(content, 0, content.length, writer);
  }

  #encodeText(content: string, writer: ByteWriter): void {
    if (!isEncodable(content)) throw messageInvalid(this.name, "the text has half of a surrogate pair and no UTF-8");
    if (this.boundary.frameText !== undefined) return this.boundary.frameText(content, writer);
    if (content.length * UTF8_BYTES_PER_UNIT <= scratch.length) {
      this.boundary.frame(scratch, 0, encoder.encodeInto(content, scratch).written, writer);
    } else {
      const bytes = Buffer.from(content, "utf8");
      this.boundary.frame(bytes, 0, bytes.length, writer);
    }
  }
}

/**
 * Joins the boundary of one codec with a format: `chain(lines(), json())` is JSON text, one value a line;
 * `chain(lengthPrefix(), msgpack())` is MessagePack with a length before each message.
 *
 * The limit is that of the boundary, in bytes. When a message is not valid in the format, the decoder fails with
 * `FRAME_INVALID`, unless the boundary was told to resynchronise: then the message is reported and skipped.
 *
 * @param codec - Whose boundary to take: any codec of Zócalo or of `defineCodec()`.
 * @param format - `json()`, `msgpack()`, `text()`, `bytes()`, or an own one.
 *
 * @example
 * ```ts
 * import { ByteWriter, chain, json, lines } from "zocalo/framing";
 * const codec = chain(lines(), json<{ say: string }>());
 * const writer = new ByteWriter();
 * codec.encode({ say: "hola" }, writer);
 * console.log(String(writer.take().chunks[0])); // {"say":"hola"}
 * ```
 */
export function chain<In, Out = In>(
  codec: Pick<FrameCodec<never, unknown>, "boundary">,
  format: MessageFormat<In, Out>,
): FrameCodec<In, Out> {
  if ((codec as Partial<typeof codec> | null)?.boundary === undefined) {
    throw optionInvalid({ op: "chain" }, "the first must be a codec, such as lines()");
  }
  if (typeof (format as MessageFormat<In, Out> | null)?.name !== "string") {
    throw optionInvalid({ op: "chain" }, "the second must be a format, such as json()");
  }
  return new FrameCodec(codec.boundary, format, `${codec.boundary.name}+${format.name}`);
}

/** A boundary that keeps nothing between two messages, so it is the framer of all streams. */
export abstract class StatelessBoundary implements Boundary, Framer {
  readonly name: string;
  readonly maxFrameBytes: number;

  constructor(name: string, maxFrameBytes: number = DEFAULT_MAX_FRAME_BYTES) {
    this.name = name;
    this.maxFrameBytes = maxFrameBytes;
  }

  createFramer(): Framer {
    return this;
  }

  abstract find(bytes: Buffer, start: number, end: number, span: FrameSpan): number;
  abstract frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void;
}
