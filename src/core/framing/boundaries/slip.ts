/** SLIP: messages with an END byte behind each (RFC 1055). */

import { findByte } from "../../bytes/byte-range.ts";
import { checkOptions, FLAG, FUNCTION, type RulesOf } from "../../options/check-options.ts";
import type { FrameSpan, OnSkipped } from "../codec.ts";
import { bytes as bytesFormat } from "../formats/bytes.ts";
import { FrameCodec } from "../frame-codec.ts";
import { InvalidContent, messageInvalid } from "../frame-error.ts";
import { LIMIT } from "../frame-limit.ts";
import { EscapedBoundary, type Room } from "./escaped-boundary.ts";

/** Options of {@link slip}. */
export interface SlipOptions {
  /** Most bytes of a message, as it is before escaping. Default 64 KiB; RFC 1055 speaks of 1,006. */
  readonly maxFrameBytes?: number | undefined;
  /**
   * Send an END before each message too, which flushes noise on a serial line (RFC 1055, "PROTOCOL"). Default false: a
   * TCP connection has no noise. Receivers take both forms.
   */
  readonly leadingEnd?: boolean | undefined;
  /**
   * Skip a message that is too long or has a wrong escape, and report it here, instead of failing. The next message is
   * found behind the next END, which never stands inside one: after noise on a serial line that is what SLIP is for.
   * Default: fail.
   */
  readonly resynchronise?: OnSkipped | undefined;
}

const NAME = "slip";
const RULES: RulesOf<SlipOptions> = { maxFrameBytes: LIMIT, leadingEnd: FLAG, resynchronise: FUNCTION };
// RFC 1055, "SLIP DRIVERS": the four characters.
const END = 0o300;
const ESC = 0o333;
const ESC_END = 0o334;
const ESC_ESC = 0o335;
const WRONG_ESCAPE = new InvalidContent("ESC stands before a byte that is not escaped");

/**
 * Messages of bytes with SLIP's END (C0) behind each; an END or ESC (DB) inside is escaped (RFC 1055). For serial lines and
 * the gateways that bring them to TCP.
 *
 * - The limit counts the message before escaping. A message on its way is given up when it has more than twice as many
 *   bytes, the most that escaping can make of it, and at its end when it has more.
 * - ESC before any byte but DC and DD is `FRAME_INVALID`. (The code in the RFC would keep the byte; a stream that was
 *   not damaged never has it.)
 * - Empty messages are skipped, as the RFC advises, so an END may also stand before a message. Sending an empty message is
 *   `FRAME_INVALID` with side `local`.
 *
 * @throws UsageError `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { ByteWriter, slip } from "zocalo/framing";
 * const writer = new ByteWriter();
 * slip().encode(Buffer.from([0x01, 0xc0, 0xdb]), writer);
 * console.log(writer.take().chunks[0]); // <Buffer 01 db dc db dd c0>
 * ```
 *
 * @see https://www.rfc-editor.org/rfc/rfc1055
 */
export function slip(options: SlipOptions = {}): FrameCodec<Uint8Array, Buffer> {
  return new FrameCodec(new SlipBoundary(checkOptions({ op: NAME }, options, RULES)), bytesFormat());
}

class SlipBoundary extends EscapedBoundary {
  readonly #leadingEnd: boolean;

  constructor(options: SlipOptions) {
    super(NAME, END, options);
    this.#leadingEnd = options.leadingEnd ?? false;
  }

  override wireBytes(count: number): number {
    return 2 * count;
  }

  override unescape(
    bytes: Buffer,
    start: number,
    end: number,
    span: FrameSpan,
    room: Room,
  ): InvalidContent | undefined {
    span.from = start;
    span.to = end;
    const firstEscape = findByte(bytes, ESC, start, end);
    if (firstEscape === -1) return undefined;
    const target = room(end - start);
    bytes.copy(target, 0, start, firstEscape);
    let to = firstEscape - start;
    for (let at = firstEscape; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte !== ESC) {
        target[to++] = byte;
        continue;
      }
      at += 1;
      const escaped = at < end ? bytes[at] : undefined;
      if (escaped === ESC_END) target[to++] = END;
      else if (escaped === ESC_ESC) target[to++] = ESC;
      else return WRONG_ESCAPE;
    }
    span.source = target;
    span.from = 0;
    span.to = to;
    return undefined;
  }

  protected override escape(bytes: Uint8Array, start: number, end: number, target: Buffer, at: number): number {
    if (start === end) throw messageInvalid(NAME, "an empty message cannot be sent; receivers skip it");
    let to = at;
    if (this.#leadingEnd) target[to++] = END;
    for (let from = start; from < end; from += 1) {
      const byte = bytes[from] as number;
      if (byte === END || byte === ESC) {
        target[to++] = ESC;
        target[to++] = byte === END ? ESC_END : ESC_ESC;
      } else {
        target[to++] = byte;
      }
    }
    target[to] = END;
    return to + 1;
  }
}
