/** Messages with their length before them, as a varint. */

import type { ByteWriter } from "../../bytes/byte-writer.ts";
import { checkOptions, type RulesOf } from "../../options/check-options.ts";
import type { FrameSpan } from "../codec.ts";
import { bytes as bytesFormat } from "../formats/bytes.ts";
import { FrameCodec, StatelessBoundary } from "../frame-codec.ts";
import { frameInvalid, frameTooLong, messageTooLong } from "../frame-error.ts";
import { LIMIT } from "../frame-limit.ts";

/** Options of {@link varintPrefix}. */
export interface VarintPrefixOptions {
  /** Most bytes of a message, its length not counted. Default 8 MiB. */
  readonly maxFrameBytes?: number | undefined;
}

const NAME = "varintPrefix";
const RULES: RulesOf<VarintPrefixOptions> = { maxFrameBytes: LIMIT };

/**
 * Messages of bytes with their length before them as an unsigned LEB128 number: what protocol buffers call delimited
 * (`writeDelimitedTo`), and libp2p length-prefixed. One byte is enough for messages up to 127 bytes.
 *
 * - The limit counts the message without its length. More is `FRAME_TOO_LONG` as soon as the bytes of the length say so.
 * - A length with bytes that add nothing (`80 00` instead of `00`) is `FRAME_INVALID`: a number has one form.
 * - A message may be empty.
 *
 * @throws UsageError `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { ByteWriter, varintPrefix } from "zocalo/framing";
 * const writer = new ByteWriter();
 * varintPrefix().encode(new Uint8Array(300), writer);
 * console.log(writer.take().chunks[0]?.subarray(0, 2)); // <Buffer ac 02>
 * ```
 *
 * @see https://protobuf.dev/programming-guides/encoding/#varints
 */
export function varintPrefix(options: VarintPrefixOptions = {}): FrameCodec<Uint8Array, Buffer> {
  return new FrameCodec(new VarintPrefixBoundary(checkOptions({ op: NAME }, options, RULES)), bytesFormat());
}

class VarintPrefixBoundary extends StatelessBoundary {
  constructor(options: VarintPrefixOptions) {
    super(NAME, options.maxFrameBytes);
  }

  override find(bytes: Buffer, start: number, end: number, span: FrameSpan): number {
    let at = start;
    let length = 0;
    // The worth of the lowest bit of the next byte.
    let unit = 1;
    for (;;) {
      // Another byte would make it at least `unit`, or not minimal.
      if (unit > span.limit) throw frameTooLong(NAME, span.limit);
      if (at === end) return -(at - start + 1);
      const byte = bytes[at] as number;
      at += 1;
      length += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        if (byte === 0 && unit > 1) throw frameInvalid(NAME, "the length is not written in its shortest form");
        break;
      }
      unit *= 0x80;
    }
    if (length > span.limit) throw frameTooLong(NAME, span.limit);
    const next = at + length;
    if (next > end) return -(next - start);
    span.from = at;
    span.to = next;
    return next;
  }

  override frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void {
    const count = end - start;
    if (count > this.maxFrameBytes) throw messageTooLong(NAME, count, this.maxFrameBytes);
    writer.reserve(varintBytes(count));
    writer.at = writeVarint(writer.block, writer.at, count);
    writer.append(bytes, start, end);
  }
}

/** How many bytes `value` takes, a whole number from 0 to 2^53 - 1. */
export function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count += 1;
  return count;
}

/** Writes `value` at `at`, where `varintBytes(value)` bytes must be free. Answers where the next byte goes. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  // Numbers above 2^31 do not survive the bit operators.
  while (rest >= 0x8000_0000) {
    bytes[at] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    at += 1;
  }
  while (rest >= 0x80) {
    bytes[at] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}
