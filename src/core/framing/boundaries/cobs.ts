/** Consistent Overhead Byte Stuffing: messages without zeros inside, and a zero behind each. */

import { copyBytes } from "../../bytes/byte-range.ts";
import { checkOptions, FUNCTION, type RulesOf } from "../../options/check-options.ts";
import type { FrameSpan, OnSkipped } from "../codec.ts";
import { bytes as bytesFormat } from "../formats/bytes.ts";
import { FrameCodec } from "../frame-codec.ts";
import { InvalidContent } from "../frame-error.ts";
import { LIMIT } from "../frame-limit.ts";
import { EscapedBoundary, type Room } from "./escaped-boundary.ts";

/** Options of {@link cobs}. */
export interface CobsOptions {
  /** Most bytes of a message, as it is before stuffing. Default 64 KiB. */
  readonly maxFrameBytes?: number | undefined;
  /**
   * Skip a message that is too long or not valid, and report it here, instead of failing. The next message is found behind
   * the next zero: that is what COBS is for. Default: fail.
   */
  readonly resynchronise?: OnSkipped | undefined;
}

const NAME = "cobs";
const RULES: RulesOf<CobsOptions> = { maxFrameBytes: LIMIT, resynchronise: FUNCTION };
/** The code of a block of 254 bytes without a zero behind them. */
const FULL_BLOCK = 0xff;
const BLOCK_TOO_LONG = new InvalidContent("a block is longer than the message");
/** Most bytes of a block. */
const BLOCK_BYTES = 254;

/**
 * Messages of bytes in Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999), each with a zero byte behind it.
 * Sensors and serial lines use it: after any loss a receiver finds the next message at the next zero. It costs one byte,
 * and one more for each 254.
 *
 * - The limit counts the message before stuffing. More is `FRAME_TOO_LONG` as soon as it is certain.
 * - A message that ends with a full block of 254 bytes is sent in the form of the paper, with a last block `01` behind it.
 *   The shorter form without that block, which many programs send, is received too.
 * - A block that says it is longer than the message is `FRAME_INVALID`.
 * - A message may be empty: `01 00`. Zeros between messages, which some senders put before each one, are skipped.
 *
 * @throws UsageError `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { ByteWriter, cobs } from "zocalo/framing";
 * const writer = new ByteWriter();
 * cobs().encode(Buffer.from([0x11, 0x22, 0x00, 0x33]), writer);
 * console.log(writer.take().chunks[0]); // <Buffer 03 11 22 02 33 00>
 * ```
 *
 * @see https://doi.org/10.1109/90.769765
 */
export function cobs(options: CobsOptions = {}): FrameCodec<Uint8Array, Buffer> {
  return new FrameCodec(new CobsBoundary(checkOptions({ op: NAME }, options, RULES)), bytesFormat());
}

class CobsBoundary extends EscapedBoundary {
  constructor(options: CobsOptions) {
    super(NAME, 0, options);
  }

  override wireBytes(count: number): number {
    return count + 1 + Math.floor(count / BLOCK_BYTES);
  }

  override unescape(
    bytes: Buffer,
    start: number,
    end: number,
    span: FrameSpan,
    room: Room,
  ): InvalidContent | undefined {
    const target = room(end - start);
    let to = 0;
    let at = start;
    while (at < end) {
      const code = bytes[at] as number;
      const blockEnd = at + code;
      if (blockEnd > end) return BLOCK_TOO_LONG;
      copyBytes(bytes, at + 1, blockEnd, target, to);
      to += code - 1;
      at = blockEnd;
      if (code < FULL_BLOCK && at < end) target[to++] = 0;
    }
    span.source = target;
    span.from = 0;
    span.to = to;
    return undefined;
  }

  /** Each block begins with the distance to the next zero. */
  protected override escape(bytes: Uint8Array, start: number, end: number, target: Buffer, at: number): number {
    let codeAt = at;
    let to = at + 1;
    for (let from = start; from < end; from += 1) {
      const byte = bytes[from] as number;
      if (byte !== 0) target[to++] = byte;
      if (byte === 0 || to - codeAt === FULL_BLOCK) {
        target[codeAt] = to - codeAt;
        codeAt = to++;
      }
    }
    target[codeAt] = to - codeAt;
    target[to] = 0;
    return to + 1;
  }
}
