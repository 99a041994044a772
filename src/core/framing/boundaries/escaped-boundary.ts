/** Boundaries that write some bytes in another form, so that the one that ends a message never stands inside: COBS, SLIP. */

import { type ByteWriter, REFERENCE_BYTES } from "../../bytes/byte-writer.ts";
import type { Boundary, Framer, FrameSpan, OnSkipped } from "../codec.ts";
import { type InvalidContent, longerThan, messageTooLong } from "../frame-error.ts";
import { DEFAULT_MAX_LINE_BYTES } from "../frame-limit.ts";
import { TerminatedFramer } from "./terminated-framer.ts";

/** Gives a buffer of at least so many bytes, valid until the next call. */
export type Room = (bytes: number) => Buffer;

interface EscapedOptions {
  readonly maxFrameBytes?: number | undefined;
  readonly resynchronise?: OnSkipped | undefined;
}

/** A boundary with an escaping. Messages of which the wire has nothing but the terminator are skipped. */
export abstract class EscapedBoundary implements Boundary {
  readonly name: string;
  readonly maxFrameBytes: number;
  /** The byte that ends a message. */
  readonly terminator: number;
  readonly onSkipped: OnSkipped | undefined;

  constructor(name: string, terminator: number, { maxFrameBytes, resynchronise }: EscapedOptions) {
    this.name = name;
    this.terminator = terminator;
    this.maxFrameBytes = maxFrameBytes ?? DEFAULT_MAX_LINE_BYTES;
    this.onSkipped = resynchronise;
  }

  /** Most bytes before the terminator that a message of `count` bytes takes. */
  abstract wireBytes(count: number): number;

  /** Writes a message with its terminator, and one more byte at most, to `target`, from `at` on. Answers where the next byte goes. */
  protected abstract escape(bytes: Uint8Array, start: number, end: number, target: Buffer, at: number): number;

  /**
   * Tells in `span` what `bytes[start, end)` mean, which are not empty, or answers what is wrong with them. `room` gives a buffer for
   * the content, where it does not stand on the wire as it is.
   */
  abstract unescape(bytes: Buffer, start: number, end: number, span: FrameSpan, room: Room): InvalidContent | undefined;

  createFramer(): Framer {
    return new EscapedFramer(this);
  }

  frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void {
    const count = end - start;
    if (count > this.maxFrameBytes) throw messageTooLong(this.name, count, this.maxFrameBytes);
    const mostBytes = this.wireBytes(count) + 2;
    if (mostBytes >= REFERENCE_BYTES) {
      const escaped = Buffer.allocUnsafeSlow(mostBytes);
      writer.append(escaped, 0, this.escape(bytes, start, end, escaped, 0));
      return;
    }
    writer.reserve(mostBytes);
    writer.at = this.escape(bytes, start, end, writer.block, writer.at);
  }
}

/** The first room for content; most messages of such codecs are small. */
const FIRST_BYTES = 256;
/** Room up to this size is kept for the next message; more would make an idle peer expensive. */
const KEPT_BYTES = 4096;

class EscapedFramer extends TerminatedFramer {
  readonly #boundary: EscapedBoundary;
  #kept: Buffer = Buffer.alloc(0);
  readonly #room: Room = (bytes) => {
    if (bytes <= this.#kept.length) return this.#kept;
    if (bytes > KEPT_BYTES) return Buffer.allocUnsafeSlow(bytes);
    this.#kept = Buffer.allocUnsafeSlow(Math.max(bytes, FIRST_BYTES));
    return this.#kept;
  };

  constructor(boundary: EscapedBoundary) {
    super(boundary.name, boundary.terminator, boundary.onSkipped);
    this.#boundary = boundary;
  }

  protected override wireLimit(limit: number): number {
    return this.#boundary.wireBytes(limit);
  }

  protected override accept(bytes: Buffer, start: number, end: number, span: FrameSpan): InvalidContent | undefined {
    if (start === end) {
      span.from = -1;
      return undefined;
    }
    const problem = this.#boundary.unescape(bytes, start, end, span, this.#room);
    return problem ?? (span.to - span.from > span.limit ? longerThan(span.limit) : undefined);
  }
}
