/** What a parser of messages reads from, and what it must do. */

import { viewBytes } from "../bytes/byte-range.ts";

/**
 * The bytes of one message that have come, for a {@link MessageParser}. They stay until the message is complete, but may stand
 * elsewhere at the next call: keep copies or offsets from `start`, no views.
 */
export class ParserInput {
  /** Where the bytes are. */
  bytes: Buffer = Buffer.alloc(0);
  /** Where the message begins in `bytes`. */
  start = 0;
  /** The next byte to read. The parser moves it behind what it has read; the next call goes on there. */
  at = 0;
  /** Where the bytes end that have come. */
  end = 0;
  /** Where they ended at the call before, for the same message. A search goes on there. */
  seen = 0;
  /**
   * How many bytes must stand behind `at` before the parser is called again. Set it before answering undefined; default: one
   * more than there are. `take` and `takeUntil` set it. More than `maxFrameBytes` allows is `FRAME_TOO_LONG` at once.
   */
  neededBytes = 0;
  /** Which mark was searched for last in vain, and where, from `start` on. */
  #mark = "";
  #searchedAt = -1;
  #searchedTo = 0;

  /**
   * The next `count` bytes, as a view that is valid during this call; undefined, and `neededBytes` set, when there are fewer.
   * Throws a `RangeError`, which ends the stream with `FRAME_INVALID`, for a `count` that is no whole number from 0 on.
   */
  take(count: number): Buffer | undefined {
    const { at } = this;
    if (this.end - at < count) {
      this.neededBytes = count;
      return undefined;
    }
    if (!(Number.isInteger(count) && count >= 0)) throw new RangeError(`${count} is no number of bytes`);
    this.at = at + count;
    return viewBytes(this.bytes, at, at + count);
  }

  /**
   * The bytes up to `mark`, as a view that is valid during this call; reads over the mark. Undefined when it has not come. No
   * byte is searched twice, however they are cut. The mark is not empty; each of its characters is a byte (Latin-1).
   */
  takeUntil(mark: string): Buffer | undefined {
    const { at, bytes, end, start } = this;
    const again = this.#searchedAt === at - start && this.#mark === mark;
    const from = again ? Math.max(at, start + this.#searchedTo - mark.length + 1) : at;
    const found = viewBytes(bytes, from, end).indexOf(mark, 0, "latin1");
    if (found === -1) {
      this.neededBytes = end - at + 1;
      this.#mark = mark;
      this.#searchedAt = at - start;
      this.#searchedTo = end - start;
      return undefined;
    }
    this.#searchedAt = -1;
    this.at = from + found + mark.length;
    return viewBytes(bytes, at, from + found);
  }

  /** @internal Begins another message. */
  begin(): void {
    this.#searchedAt = -1;
  }
}

/** Reads the messages of one stream, and keeps what it knows of the message that is not complete. */
export interface MessageParser<Out> {
  /**
   * Reads on from `input.at`. Answers the message when it is complete, with `input.at` behind its last byte; then the next call
   * begins the next message. Undefined when more bytes are needed; then `input.at` says where the next call goes on. What it
   * throws is `FRAME_INVALID`, with its text.
   */
  parse(input: ParserInput): Out | undefined;
}
