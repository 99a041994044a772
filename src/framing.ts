/**
 * Message boundaries on a stream of bytes.
 *
 * @packageDocumentation
 */
export { BlockPool } from "./core/bytes/block-pool.ts";
export { ByteWriter, WrittenBytes } from "./core/bytes/byte-writer.ts";
export { bytes } from "./core/framing/bytes.ts";
export { chain } from "./core/framing/chain.ts";
export { cobs, type CobsOptions } from "./core/framing/cobs.ts";
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
export { type Delimiter, delimiter, type DelimiterOptions } from "./core/framing/delimiter.ts";
export { fixedSize } from "./core/framing/fixed-size.ts";
export { FrameCodec } from "./core/framing/frame-codec.ts";
export { InvalidContent } from "./core/framing/invalid-content.ts";
export { json, type JsonOptions } from "./core/framing/json.ts";
export { lengthPrefix, type LengthPrefixOptions } from "./core/framing/length-prefix.ts";
export { type LineEnding, lines, type LinesOptions } from "./core/framing/lines.ts";
export { msgpack, type MsgpackOptions } from "./core/framing/msgpack.ts";
export { netstring, type NetstringOptions } from "./core/framing/netstring.ts";
export { slip, type SlipOptions } from "./core/framing/slip.ts";
export { text, type TextOptions } from "./core/framing/text.ts";
export type { ValueOptions } from "./core/framing/value-limits.ts";
export { varintPrefix, type VarintPrefixOptions } from "./core/framing/varint-prefix.ts";
