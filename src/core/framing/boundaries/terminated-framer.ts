/** The search for messages that end with one byte which cannot stand inside them: lines, COBS, SLIP. */

import { findByte } from "../../bytes/byte-range.ts";
import type { Framer, FrameSpan, OnSkipped } from "../codec.ts";
import { contentInvalid, frameTooLong, type InvalidContent, longerThan } from "../frame-error.ts";

/** Finds messages that end with a certain byte. Skips wrong ones when it may. */
export abstract class TerminatedFramer implements Framer {
  /** Bytes dropped so far of a message that is too long and has not ended. */
  droppedBytes = 0;
  readonly #name: string;
  readonly #terminator: number;
  readonly #onSkipped: OnSkipped | undefined;
  #skippedLimit = 0;

  /**
   * @param name - The codec, for errors.
   * @param terminator - The byte that ends a message.
   * @param onSkipped - Set to skip wrong messages and report them here.
   */
  constructor(name: string, terminator: number, onSkipped: OnSkipped | undefined) {
    this.#name = name;
    this.#terminator = terminator;
    this.#onSkipped = onSkipped;
  }

  /** Most bytes before the terminator that a message of at most `limit` bytes can take on the wire. */
  protected abstract wireLimit(limit: number): number;

  /**
   * Tells in `span` what the message `bytes[start, end)`, without its terminator, has as content, or answers what is wrong
   * with it.
   */
  protected abstract accept(bytes: Buffer, start: number, end: number, span: FrameSpan): InvalidContent | undefined;

  find(bytes: Buffer, start: number, end: number, span: FrameSpan): number {
    const found = findByte(bytes, this.#terminator, span.seen, end);
    const stop = found === -1 ? end : found;
    if (this.droppedBytes > 0 || stop - start > this.wireLimit(span.limit)) {
      return this.#tooLong(start, stop, found !== -1, span);
    }
    if (found === -1) return -(end - start + 1);
    const problem = this.accept(bytes, start, found, span);
    if (problem !== undefined) this.#skip(problem, found + 1 - start, span);
    return found + 1;
  }

  #skip(problem: InvalidContent, bytes: number, span: FrameSpan): void {
    if (this.#onSkipped === undefined) throw contentInvalid(this.#name, problem);
    span.from = -1;
    this.#onSkipped({ code: problem.code, bytes, detail: `${this.#name}: ${problem.detail}` });
  }

  /** Drops what there is of the message; reports it when its end has come. */
  #tooLong(start: number, stop: number, ended: boolean, span: FrameSpan): number {
    if (this.#onSkipped === undefined) throw frameTooLong(this.#name, span.limit);
    if (this.droppedBytes === 0) this.#skippedLimit = span.limit;
    const next = ended ? stop + 1 : stop;
    const droppedBytes = this.droppedBytes + next - start;
    this.droppedBytes = ended ? 0 : droppedBytes;
    span.from = -1;
    if (ended) this.#skip(longerThan(this.#skippedLimit), droppedBytes, span);
    return next;
  }
}
