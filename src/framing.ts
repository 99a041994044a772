/**
 * Message boundaries on a stream of bytes.
 *
 * @packageDocumentation
 */
export { BlockPool } from "./core/bytes/block-pool.ts";
export { ByteWriter, WrittenBytes } from "./core/bytes/byte-writer.ts";
export { bytes } from "./core/framing/formats/bytes.ts";
export { chain } from "./core/framing/frame-codec.ts";
export { cobs, type CobsOptions } from "./core/framing/boundaries/cobs.ts";
export type {
  Boundary,
  Codec,
  Decoder,
  Framer,
  FrameSpan,
  MessageFormat,
  OnFrame,
  OnSkipped,
  SkippedFrame,
} from "./core/framing/codec.ts";
export { type CodecDefinition, defineCodec } from "./core/framing/define-codec.ts";
export { type Delimiter, delimiter, type DelimiterOptions } from "./core/framing/boundaries/delimiter.ts";
export { fixedSize } from "./core/framing/boundaries/fixed-size.ts";
export { FrameCodec } from "./core/framing/frame-codec.ts";
export { InvalidContent } from "./core/framing/frame-error.ts";
export { json, type JsonOptions } from "./core/framing/formats/json.ts";
export { lengthPrefix, type LengthPrefixOptions } from "./core/framing/boundaries/length-prefix.ts";
export { type LineEnding, lines, type LinesOptions } from "./core/framing/boundaries/lines.ts";
export { msgpack, type MsgpackOptions } from "./core/framing/formats/msgpack.ts";
export { netstring, type NetstringOptions } from "./core/framing/boundaries/netstring.ts";
export { slip, type SlipOptions } from "./core/framing/boundaries/slip.ts";
export type { ParserDefinition } from "./core/framing/parsed-codec.ts";
export { type MessageParser, ParserInput } from "./core/framing/parser-input.ts";
export { text, type TextOptions } from "./core/framing/formats/text.ts";
export type { ValueOptions } from "./core/framing/formats/value-limits.ts";
export { varintPrefix, type VarintPrefixOptions } from "./core/framing/boundaries/varint-prefix.ts";
