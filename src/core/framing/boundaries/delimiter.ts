/** Messages that end with a delimiter of one or more bytes. */

import { checkOptions, FUNCTION, optionInvalid, type RulesOf } from "../../options/check-options.ts";
import type { ByteWriter } from "../../bytes/byte-writer.ts";
import { findByte } from "../../bytes/byte-range.ts";
import { isEncodable } from "../../bytes/utf8.ts";
import { bytes as bytesFormat } from "../formats/bytes.ts";
import type { Boundary, Framer, FrameSpan, OnSkipped } from "../codec.ts";
import { FrameCodec } from "../frame-codec.ts";
import { frameTooLong, longerThan, messageInvalid, messageTooLong } from "../frame-error.ts";
import { DEFAULT_MAX_LINE_BYTES, LIMIT } from "../frame-limit.ts";

/** Options of {@link delimiter}. */
export interface DelimiterOptions {
  /** Most bytes of a message, its delimiter not counted. Default 64 KiB. */
  readonly maxFrameBytes?: number | undefined;
  /**
   * Skip a message that is too long, or that the format of `chain` finds invalid, and report it here, instead of failing. The
   * next message is found behind the next delimiter. Default: fail.
   */
  readonly resynchronise?: OnSkipped | undefined;
}

/** A delimiter: bytes, or a string that stands for its UTF-8. */
export type Delimiter = string | Uint8Array;

const NAME = "delimiter";
const RULES: RulesOf<DelimiterOptions> = { maxFrameBytes: LIMIT, resynchronise: FUNCTION };
const MOST_DELIMITERS = 16;
const LONGEST_DELIMITER_BYTES = 256;

/**
 * Messages of bytes that end with a delimiter, which is not part of them.
 *
 * - Of several delimiters the one that is complete first ends the message; of those that are complete with the same byte,
 *   the longest. So it does not matter how the bytes were cut. Messages are sent with the first one of the list.
 * - The limit counts the message without its delimiter. More is `FRAME_TOO_LONG` as soon as so many bytes have come.
 * - Sending a message in which a delimiter would be found too early is `FRAME_INVALID` with side `local`.
 * - A message may be empty. Bytes behind the last delimiter are `FRAME_TRUNCATED` when the stream ends.
 *
 * @param delimiters - One delimiter, or up to 16; each of 1 to 256 bytes.
 * @throws UsageError `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { chain, delimiter, text } from "zocalo/framing";
 * const codec = chain(delimiter(["\0", "\r\n"]), text());
 * const wire = Buffer.from("uno\0dos\r\n");
 * codec.createDecoder().decode(wire, 0, wire.length, (word) => console.log(word)); // uno, then dos
 * ```
 */
export function delimiter(
  delimiters: Delimiter | readonly Delimiter[],
  options: DelimiterOptions = {},
): FrameCodec<Uint8Array, Buffer> {
  const list = typeof delimiters === "string" || delimiters instanceof Uint8Array ? [delimiters] : delimiters;
  return new FrameCodec(new DelimiterBoundary(list, checkOptions({ op: NAME }, options, RULES)), bytesFormat());
}

class DelimiterBoundary implements Boundary, Framer {
  readonly name = NAME;
  readonly maxFrameBytes: number;
  readonly onSkipped: OnSkipped | undefined;
  /** Bytes of the longest delimiter. */
  readonly longest: number;
  readonly #sent: Buffer;
  /** The delimiters by their last byte, the longest first. */
  readonly #byLastByte: readonly (readonly Buffer[] | undefined)[];
  /** The last byte, if all delimiters have the same. */
  readonly #onlyLastByte: number | undefined;

  constructor(list: readonly Delimiter[], options: DelimiterOptions) {
    const delimiters = checkedList(list);
    const sent = delimiters[0] as Buffer;
    this.maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_LINE_BYTES;
    this.onSkipped = options.resynchronise;
    this.#sent = sent;
    this.longest = Math.max(...delimiters.map(({ length }) => length));
    const byLength = delimiters.toSorted((a, b) => b.length - a.length);
    const byLastByte = Array.from({ length: 256 }, (_, byte) => byLength.filter((one) => one.at(-1) === byte));
    this.#byLastByte = byLastByte.map((same) => (same.length === 0 ? undefined : same));
    this.#onlyLastByte = delimiters.every((one) => one.at(-1) === sent.at(-1)) ? sent.at(-1) : undefined;
  }

  /** It keeps nothing between two messages, so one serves all streams, unless some are to be skipped. */
  createFramer(): Framer {
    return this.onSkipped === undefined ? this : new SkippingFramer(this, this.onSkipped);
  }

  find(bytes: Buffer, start: number, end: number, span: FrameSpan): number {
    const next = this.search(bytes, start, end, span);
    if (this.contentBytes(next, start, end, span) > span.limit) throw frameTooLong(NAME, span.limit);
    return next === -1 ? -(end - start + 1) : next;
  }

  /** How many bytes the message has at least: the last ones can be the beginning of a delimiter. */
  contentBytes(next: number, start: number, end: number, { to }: Pick<FrameSpan, "to">): number {
    return next === -1 ? end - start - (this.longest - 1) : to - start;
  }

  frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void {
    const count = end - start;
    if (count > this.maxFrameBytes) throw messageTooLong(NAME, count, this.maxFrameBytes);
    if (this.#endsEarly(bytes, start, end)) {
      throw messageInvalid(NAME, "the message contains a delimiter; send it in parts, or choose another delimiter");
    }
    writer.append(bytes, start, end);
    writer.append(this.#sent, 0, this.#sent.length);
  }

  /** Where the first delimiter that is complete ends; `span` tells the content. -1 when none is. */
  search(bytes: Buffer, start: number, end: number, span: Omit<FrameSpan, "limit" | "source">): number {
    for (let at = this.#nextLastByte(bytes, span.seen, end); at !== -1; at = this.#nextLastByte(bytes, at, end)) {
      at += 1;
      for (const one of this.#byLastByte[bytes[at - 1] as number] ?? []) {
        if (!endsWith(bytes, start, at, one)) continue;
        span.from = start;
        span.to = at - one.length;
        return at;
      }
    }
    return -1;
  }

  #nextLastByte(bytes: Buffer, start: number, end: number): number {
    if (this.#onlyLastByte !== undefined) return findByte(bytes, this.#onlyLastByte, start, end);
    for (let at = start; at < end; at += 1) if (this.#byLastByte[bytes[at] as number] !== undefined) return at;
    return -1;
  }

  /** Whether a receiver would see the end of this message anywhere but at its end. */
  #endsEarly(bytes: Uint8Array, start: number, end: number): boolean {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    const span = { seen: 0, from: 0, to: 0 };
    if (this.search(content, 0, content.length, span) !== -1) return true;
    if (this.longest === 1) return false;
    // A delimiter can also begin in the message and end in the delimiter that is sent behind it.
    const tail = Buffer.concat([content.subarray(Math.max(0, content.length - this.longest)), this.#sent]);
    return this.search(tail, 0, tail.length, span) !== tail.length || span.to !== tail.length - this.#sent.length;
  }
}

/** Drops messages that are too long, and reports each when its end has come. */
class SkippingFramer implements Framer {
  droppedBytes = 0;
  readonly #boundary: DelimiterBoundary;
  readonly #onSkipped: OnSkipped;
  /** The limit that held when the message of which bytes were dropped began. */
  #limit = 0;
  /** The last bytes that were dropped, which can be the beginning of a delimiter. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(boundary: DelimiterBoundary, onSkipped: OnSkipped) {
    this.#boundary = boundary;
    this.#onSkipped = onSkipped;
  }

  find(bytes: Buffer, start: number, end: number, span: FrameSpan): number {
    if (this.droppedBytes > 0) return this.#drop(bytes, start, end, span);
    const next = this.#boundary.search(bytes, start, end, span);
    if (this.#boundary.contentBytes(next, start, end, span) <= span.limit) {
      return next === -1 ? -(end - start + 1) : next;
    }
    this.#limit = span.limit;
    this.#tail = Buffer.alloc(0);
    return this.#drop(bytes, start, end, span);
  }

  /** Drops what there is of the message. What stands behind it is not touched: each message would cost as much as the rest. */
  #drop(bytes: Buffer, start: number, end: number, span: FrameSpan): number {
    const longestPart = this.#boundary.longest - 1;
    let next = this.#endAcross(bytes, start, Math.min(end, start + longestPart));
    if (next === -1) next = this.#boundary.search(bytes, start, end, { seen: start, from: 0, to: 0 });
    this.droppedBytes += (next === -1 ? end : next) - start;
    span.from = -1;
    if (next !== -1) {
      const { code, detail } = longerThan(this.#limit);
      const dropped = this.droppedBytes;
      this.droppedBytes = 0;
      this.#onSkipped({ code, bytes: dropped, detail: `${NAME}: ${detail}` });
      return next;
    }
    const last = Buffer.concat([this.#tail, bytes.subarray(Math.max(start, end - longestPart), end)]);
    this.#tail = last.subarray(Math.max(0, last.length - longestPart));
    return end;
  }

  /** Where a delimiter ends that began in what was dropped before; -1 when none does. */
  #endAcross(bytes: Buffer, start: number, end: number): number {
    const tail = this.#tail;
    if (tail.length === 0) return -1;
    const joined = Buffer.concat([tail, bytes.subarray(start, end)]);
    const found = this.#boundary.search(joined, 0, joined.length, { seen: tail.length, from: 0, to: 0 });
    return found === -1 ? -1 : start + found - tail.length;
  }
}

/** Copies of the delimiters. */
function checkedList(list: readonly Delimiter[]): Buffer[] {
  if (!Array.isArray(list) || !Array.from(list).every((one) => typeof one === "string" || one instanceof Uint8Array)) {
    throw optionInvalid({ op: NAME }, "delimiters must be strings or Uint8Arrays");
  }
  if (list.some((one: Delimiter) => typeof one === "string" && !isEncodable(one))) {
    throw optionInvalid({ op: NAME }, "a delimiter has half of a surrogate pair, which has no UTF-8");
  }
  if (list.length === 0 || list.length > MOST_DELIMITERS) {
    throw optionInvalid({ op: NAME }, `there must be 1 to ${MOST_DELIMITERS} delimiters; got ${list.length}`);
  }
  const copies = list.map((one: Delimiter) => Buffer.from(one as string));
  if (copies.every(({ length }) => length > 0 && length <= LONGEST_DELIMITER_BYTES)) return copies;
  throw optionInvalid({ op: NAME }, `a delimiter must have 1 to ${LONGEST_DELIMITER_BYTES} bytes`);
}

/** Whether `bytes[start, end)` ends with `last`. */
function endsWith(bytes: Buffer, start: number, end: number, last: Buffer): boolean {
  const from = end - last.length;
  if (from < start) return false;
  for (let index = 0; index < last.length - 1; index += 1) if (bytes[from + index] !== last[index]) return false;
  return true;
}
