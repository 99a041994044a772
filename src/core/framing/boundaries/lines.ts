/** Lines of text. */

import { type ByteWriter, REFERENCE_BYTES } from "../../bytes/byte-writer.ts";
import { findByte } from "../../bytes/byte-range.ts";
import { checkOptions, FUNCTION, oneOf, type RulesOf } from "../../options/check-options.ts";
import type { Boundary, Framer, FrameSpan, OnSkipped } from "../codec.ts";
import { text, TEXT_RULES, type TextOptions } from "../formats/text.ts";
import { FrameCodec } from "../frame-codec.ts";
import { InvalidContent, longerThan, messageInvalid, messageTooLong } from "../frame-error.ts";
import { DEFAULT_MAX_LINE_BYTES, LIMIT } from "../frame-limit.ts";
import { TerminatedFramer } from "./terminated-framer.ts";

/** What ends a line. */
export type LineEnding = "lf" | "crlf" | "both";

/** Options of {@link lines}. */
export interface LinesOptions extends TextOptions {
  /**
   * What ends a line.
   *
   * - `both` (the default): received lines may end with LF or with CR LF; sent ones end with LF. For programs that people
   *   talk to, with `nc`, with `telnet`, from any system.
   * - `lf`: only LF; a CR before it belongs to the line.
   * - `crlf`: only CR LF, as in SMTP, FTP and IRC. A CR or LF alone is `FRAME_INVALID`: where one side takes it for the end
   *   of a line and the other does not, messages can be smuggled (RFC 5321 section 2.3.8).
   */
  readonly ending?: LineEnding | undefined;
  /** Most bytes of a line, its ending not counted. Default 64 KiB. */
  readonly maxLineBytes?: number | undefined;
  /**
   * Skip a line that is too long or not valid, and report it here, instead of failing. The next line is found behind the
   * next LF. Default: fail.
   */
  readonly resynchronise?: OnSkipped | undefined;
}

const NAME = "lines";
const RULES: RulesOf<LinesOptions> = {
  ...TEXT_RULES,
  ending: oneOf("lf", "crlf", "both"),
  maxLineBytes: LIMIT,
  resynchronise: FUNCTION,
};
const LF = 0x0a;
const CR = 0x0d;
const ENDS_WITH_LF = new InvalidContent("a line ends with LF alone, not with CR LF");
const CONTAINS_CR = new InvalidContent("a line contains CR without LF");
/** Most bytes of UTF-8 that one unit of a JavaScript string can take. */
const UTF8_BYTES_PER_UNIT = 3;

/**
 * Lines of text, without their endings.
 *
 * - The limit counts the bytes of the line; neither LF nor the CR before it counts. More is `FRAME_TOO_LONG` as soon as
 *   so many bytes have come without LF.
 * - Sending a line that contains LF is `FRAME_INVALID` with side `local`, since it would arrive as two. So is a CR anywhere
 *   with `crlf`, and at the end with `both`, where it would be lost.
 * - A last line without an ending is `FRAME_TRUNCATED` when the stream ends.
 * - A line may be empty. Received bytes that are not valid UTF-8 are `FRAME_INVALID`, or replaced (`invalid`).
 *
 * @throws UsageError `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { lines } from "zocalo/framing";
 * const decoder = lines().createDecoder();
 * for (const piece of ["ho", "la\r", "\nadiós\n"]) {
 *   const bytes = Buffer.from(piece);
 *   decoder.decode(bytes, 0, bytes.length, (line) => console.log(line)); // hola, then adiós
 * }
 * decoder.end();
 * ```
 */
export function lines(options: LinesOptions = {}): FrameCodec<string> {
  const { encoding, invalid, ...boundary } = checkOptions({ op: NAME }, options, RULES);
  return new FrameCodec(new LinesBoundary(boundary), text({ encoding, invalid }));
}

class LinesBoundary implements Boundary {
  readonly name = NAME;
  readonly maxFrameBytes: number;
  readonly onSkipped: OnSkipped | undefined;
  readonly #ending: LineEnding;

  constructor(options: LinesOptions) {
    const { ending = "both", maxLineBytes = DEFAULT_MAX_LINE_BYTES, resynchronise } = options;
    this.#ending = ending;
    this.maxFrameBytes = maxLineBytes;
    this.onSkipped = resynchronise;
  }

  createFramer(): Framer {
    return new LinesFramer(this.#ending, this.onSkipped);
  }

  frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    this.#checkLength(content.length);
    this.#refuseEndings(content, content.at(-1) === CR);
    writer.append(bytes, start, end);
    this.#writeEnding(writer);
  }

  frameText(line: string, writer: ByteWriter): void {
    this.#refuseEndings(line, line.endsWith("\r"));
    if (line.length * UTF8_BYTES_PER_UNIT >= REFERENCE_BYTES) {
      const content = Buffer.from(line);
      this.#checkLength(content.length);
      writer.append(content, 0, content.length);
    } else {
      writer.reserve(line.length * UTF8_BYTES_PER_UNIT);
      const bytes = writer.block.write(line, writer.at, "utf8");
      this.#checkLength(bytes);
      writer.at += bytes;
    }
    this.#writeEnding(writer);
  }

  #writeEnding(writer: ByteWriter): void {
    if (this.#ending === "crlf") writer.byte(CR);
    writer.byte(LF);
  }

  #checkLength(bytes: number): void {
    if (bytes > this.maxFrameBytes) throw messageTooLong(NAME, bytes, this.maxFrameBytes);
  }

  #refuseEndings(line: string | Buffer, endsWithCr: boolean): void {
    if (line.includes("\n")) throw messageInvalid(NAME, "a line must not contain LF; send it as two lines");
    if (this.#ending === "crlf" && line.includes("\r")) {
      throw messageInvalid(NAME, "a line must not contain CR where lines end with CR LF");
    }
    if (this.#ending === "both" && endsWithCr) {
      throw messageInvalid(NAME, "a line must not end with CR, which the receiver would take for a part of the ending");
    }
  }
}

class LinesFramer extends TerminatedFramer {
  readonly #ending: LineEnding;

  constructor(ending: LineEnding, onSkipped: OnSkipped | undefined) {
    super(NAME, LF, onSkipped);
    this.#ending = ending;
  }

  protected override wireLimit(limit: number): number {
    return this.#ending === "lf" ? limit : limit + 1;
  }

  protected override accept(bytes: Buffer, start: number, end: number, span: FrameSpan): InvalidContent | undefined {
    const ending = this.#ending;
    const hasCr = ending !== "lf" && end > start && bytes[end - 1] === CR;
    const to = hasCr ? end - 1 : end;
    if (to - start > span.limit) return longerThan(span.limit);
    if (ending === "crlf") {
      if (!hasCr) return ENDS_WITH_LF;
      if (findByte(bytes, CR, start, to) !== -1) return CONTAINS_CR;
    }
    span.from = start;
    span.to = to;
    return undefined;
  }
}
