/** Netstrings: messages with their length before them in decimal digits. */

import { checkOptions, type RulesOf } from "../../options/check-options.ts";
import type { ByteWriter } from "../../bytes/byte-writer.ts";
import { bytes as bytesFormat } from "../formats/bytes.ts";
import type { FrameSpan } from "../codec.ts";
import { FrameCodec, StatelessBoundary } from "../frame-codec.ts";
import { frameInvalid, frameTooLong, messageTooLong } from "../frame-error.ts";
import { LIMIT } from "../frame-limit.ts";

/** Options of {@link netstring}. */
export interface NetstringOptions {
  /** Most bytes of a message, without its length and punctuation. Default 8 MiB. */
  readonly maxFrameBytes?: number | undefined;
}

const NAME = "netstring";
const RULES: RulesOf<NetstringOptions> = { maxFrameBytes: LIMIT };
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const COMMA = 0x2c;

/**
 * Netstrings: `5:hello,`. The length in decimal digits, a colon, so many bytes, a comma.
 *
 * - The limit counts the bytes between colon and comma. More is `FRAME_TOO_LONG` as soon as the digits say so.
 * - Leading zeros (`05:hello,`), a missing length, and a comma that is not where the length says are `FRAME_INVALID`. The
 *   specification forbids leading zeros: a number has one form.
 * - A message may be empty: `0:,`.
 *
 * @throws UsageError `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { netstring } from "zocalo/framing";
 * const wire = Buffer.from("12:hello world!,");
 * netstring().createDecoder().decode(wire, 0, wire.length, (message) => console.log(String(message))); // hello world!
 * ```
 *
 * @see https://cr.yp.to/proto/netstrings.txt
 */
export function netstring(options: NetstringOptions = {}): FrameCodec<Uint8Array, Buffer> {
  return new FrameCodec(new NetstringBoundary(checkOptions({ op: NAME }, options, RULES)), bytesFormat());
}

class NetstringBoundary extends StatelessBoundary {
  constructor(options: NetstringOptions) {
    super(NAME, options.maxFrameBytes);
  }

  override find(bytes: Buffer, start: number, end: number, span: FrameSpan): number {
    let at = start;
    let length = 0;
    for (; ; at += 1) {
      if (at === end) return -(at - start + 1);
      const byte = bytes[at] as number;
      if (byte === COLON && at > start) break;
      if (byte < ZERO || byte > NINE) throw frameInvalid(NAME, "a message must begin with its length and a colon");
      if (at > start && length === 0) throw frameInvalid(NAME, "the length has leading zeros");
      length = length * 10 + byte - ZERO;
      // At once, so that there are never more digits than the limit has.
      if (length > span.limit) throw frameTooLong(NAME, span.limit);
    }
    const from = at + 1;
    const to = from + length;
    if (to >= end) return -(to + 1 - start);
    if (bytes[to] !== COMMA) throw frameInvalid(NAME, "there is no comma where the length says");
    span.from = from;
    span.to = to;
    return to + 1;
  }

  override frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void {
    const count = end - start;
    if (count > this.maxFrameBytes) throw messageTooLong(NAME, count, this.maxFrameBytes);
    const digits = decimalDigits(count);
    writer.reserve(digits + 1);
    const { block, at } = writer;
    let rest = count;
    for (let digit = digits - 1; digit >= 0; digit -= 1) {
      block[at + digit] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    block[at + digits] = COLON;
    writer.at = at + digits + 1;
    writer.append(bytes, start, end);
    writer.byte(COMMA);
  }
}

function decimalDigits(value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
  return digits;
}
