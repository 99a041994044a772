/** The one decoder: drives a framer over bytes as they come, and keeps what is not complete. */

import { copyBytes } from "../bytes/byte-range.ts";
import { ProtocolError, type UsageError } from "../errors.ts";
import { optionInvalid } from "../options/check-options.ts";
import type { Boundary, Decoder, Framer, FrameSpan, MessageFormat, OnFrame } from "./codec.ts";
import { frameTruncated, InvalidContent } from "./frame-error.ts";
import { checkedLimit } from "./frame-limit.ts";

const NO_BYTES: Buffer = Buffer.alloc(0);

/** The first buffer for an unfinished message; most messages are smaller. */
const FIRST_HELD_BYTES = 256;

/** A buffer up to this size is kept for the next unfinished message; a larger one would make an idle peer expensive. */
const KEPT_BYTES = 4096;

/** A message that fills less of its buffer than one part in so many is copied, so that it does not pin the rest. */
const PIN_RATIO = 2;

/** Where a message stands. */
export class Span implements FrameSpan {
  seen = 0;
  limit = 0;
  from = 0;
  to = 0;
  source: Buffer | undefined = undefined;
}

/** A {@link Decoder} made of a {@link Boundary} and a {@link MessageFormat}. */
export class FrameDecoder<Out> implements Decoder<Out> {
  readonly #boundary: Boundary;
  readonly #framer: Framer;
  readonly #format: MessageFormat<never, Out>;
  /** Where the message of now stands. */
  readonly span: Span = new Span();
  stepsLeft: number = Infinity;
  readonly #deliver: OnFrame;
  #maxFrameBytes: number;
  #onMessage: ((message: Out) => void) | undefined;
  /** The beginning of the message that is not complete. */
  #held: Buffer = NO_BYTES;
  #heldBytes = 0;
  /** How many of its bytes must be there before the framer is asked again; 0 when nothing is held. */
  #neededBytes = 0;
  #heldLimit = 0;
  /** The buffer of the message that is being delivered, when nobody will write to it again. */
  #surrendered: Buffer | undefined;
  /** The message that is being delivered was held. */
  #fromHeld = false;
  #stopped = false;
  #failed = false;
  #error: unknown;

  /** @param framer - Of the boundary, for this stream. */
  constructor(boundary: Boundary, format: MessageFormat<never, Out>, framer: Framer = boundary.createFramer()) {
    this.#boundary = boundary;
    this.#framer = framer;
    this.#format = format;
    this.#maxFrameBytes = boundary.maxFrameBytes;
    this.#deliver = boundary.onSkipped === undefined ? this.#strictly() : this.#skippingInvalid(boundary.onSkipped);
  }

  get maxFrameBytes(): number {
    return this.#maxFrameBytes;
  }

  set maxFrameBytes(bytes: number) {
    this.#maxFrameBytes = checkedLimit(this.#boundary.name, "maxFrameBytes", bytes);
  }

  /** Costs nothing where nobody asks: it is worked out from what is known anyway. */
  get inPlace(): boolean {
    return !this.#fromHeld && this.span.source === undefined;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  decode(bytes: Uint8Array, start: number, end: number, onMessage: (message: Out) => void): number {
    this.#onMessage = onMessage;
    return this.scan(bytes, start, end, this.#deliver);
  }

  scan(bytes: Uint8Array, start: number, end: number, onFrame: OnFrame): number {
    const heldBytes = this.#heldBytes + end - start;
    if (heldBytes < this.#neededBytes && heldBytes <= this.#held.length) {
      // A small piece of a message whose length is known.
      copyBytes(bytes, start, end, this.#held, this.#heldBytes);
      this.#heldBytes = heldBytes;
      return end - start;
    }
    if (this.#failed) throw this.#error;
    this.#stopped = false;
    try {
      return this.#run(asBuffer(bytes), start, end, onFrame) - start;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /**
   * Like `scan`, one message at a time, for a reader that asks for each. Answers where the next one begins; `span` says
   * where this one stands, in `bytes` unless there is a `source`. With `from` below 0 there is none yet.
   */
  next(bytes: Buffer, start: number, end: number): number {
    if (this.#heldBytes > 0 || this.#failed) return this.#nextHeld(bytes, start, end);
    const { span } = this;
    span.seen = start;
    span.limit = this.#maxFrameBytes;
    span.source = undefined;
    try {
      const next = this.#framer.find(bytes, start, end, span);
      if (next > start) return next;
      if (next >= 0) throw this.#stuck();
      this.#hold(bytes, start, end, -next);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    span.from = -1;
    return end;
  }

  #nextHeld(bytes: Buffer, start: number, end: number): number {
    const { span } = this;
    let from = -1;
    const used = this.scan(bytes, start, end, (source, at) => {
      from = at;
      span.source = source;
      this.#stopped = true;
    });
    span.from = from;
    return start + used;
  }

  stop(): void {
    this.#stopped = true;
  }

  own(message: Out): Out {
    return this.#format.own === undefined ? message : this.#format.own(message, this.#isLasting(message));
  }

  takeRest(): Buffer {
    const rest = Buffer.from(this.#held.subarray(0, this.#heldBytes));
    this.#forget();
    return rest;
  }

  end(): void {
    if (this.#failed) throw this.#error;
    const unfinishedBytes = this.#heldBytes + (this.#framer.droppedBytes ?? 0);
    if (unfinishedBytes === 0) return;
    const error = frameTruncated(this.#boundary.name, unfinishedBytes);
    this.#fail(error);
    throw error;
  }

  #isLasting(message: Out): boolean {
    const buffer = this.#surrendered;
    if (buffer === undefined || !(message instanceof Uint8Array) || message.buffer !== buffer.buffer) return false;
    return message.length * PIN_RATIO >= buffer.length;
  }

  /** The loop over complete messages. Answers where it stopped. */
  #run(bytes: Buffer, start: number, end: number, onFrame: OnFrame): number {
    const framer = this.#framer;
    const span = this.span;
    let at = this.#heldBytes > 0 ? this.#complete(bytes, start, end, onFrame) : start;
    let steps = this.stepsLeft;
    for (; at < end && !this.#stopped && steps > 0; steps -= 1) {
      span.seen = at;
      span.limit = this.#maxFrameBytes;
      span.source = undefined;
      const next = framer.find(bytes, at, end, span);
      if (next < 0) {
        this.#hold(bytes, at, end, -next);
        at = end;
        break;
      }
      if (next <= at) throw this.#stuck();
      at = next;
      if (span.from >= 0) onFrame(span.source ?? bytes, span.from, span.to);
    }
    this.stepsLeft = steps;
    return at;
  }

  /** Keeps the beginning of a message. */
  #hold(bytes: Buffer, start: number, end: number, neededBytes: number): void {
    this.#makeRoom(end - start);
    copyBytes(bytes, start, end, this.#held, 0);
    this.#heldBytes = end - start;
    this.#neededBytes = neededBytes;
    this.#heldLimit = this.span.limit;
  }

  /**
   * Adds bytes to the message that is held until it is complete, and delivers it. The bytes are copied in steps that
   * double, so that a short rest of a message is not searched for in a copy of everything that follows it. Bytes that
   * were copied but belong to the next message are read again from where they came.
   */
  #complete(bytes: Buffer, start: number, end: number, onFrame: OnFrame): number {
    const span = this.span;
    let at = start;
    while (at < end) {
      const before = this.#heldBytes;
      const step = Math.max(this.#neededBytes - before, before, FIRST_HELD_BYTES);
      const count = Math.min(end - at, step);
      const heldBytes = before + count;
      this.#makeRoom(heldBytes);
      copyBytes(bytes, at, at + count, this.#held, before);
      this.#heldBytes = heldBytes;
      if (heldBytes < this.#neededBytes) return at + count;
      span.seen = before;
      span.limit = this.#heldLimit;
      span.source = undefined;
      const next = this.#framer.find(this.#held, 0, heldBytes, span);
      if (next > 0) {
        if (next <= before) throw this.#stuck();
        this.#deliverHeld(onFrame);
        return at + next - before;
      }
      this.#neededBytes = -next;
      at += count;
    }
    return at;
  }

  #deliverHeld(onFrame: OnFrame): void {
    const { from, to, source } = this.span;
    const held = this.#held;
    this.#forget();
    if (from < 0) return;
    if (held.length > KEPT_BYTES) this.#surrendered = held;
    this.#fromHeld = true;
    onFrame(source ?? held, from, to);
    this.#fromHeld = false;
    this.#surrendered = undefined;
  }

  #forget(): void {
    this.#heldBytes = 0;
    this.#neededBytes = 0;
    if (this.#held.length > KEPT_BYTES) this.#held = NO_BYTES;
  }

  /** The buffer doubles with the bytes that have come; how many are announced does not matter. */
  #makeRoom(bytes: number): void {
    if (bytes <= this.#held.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.#held.length * 2, FIRST_HELD_BYTES));
    copyBytes(this.#held, 0, this.#heldBytes, larger, 0);
    this.#held = larger;
  }

  #fail(error: unknown): void {
    this.#failed = true;
    this.#error = error;
    this.#held = NO_BYTES;
    this.#heldBytes = 0;
    this.#neededBytes = 0;
    this.#onMessage = undefined;
    this.#surrendered = undefined;
    this.#fromHeld = false;
  }

  #strictly(): OnFrame {
    const format = this.#format;
    return (bytes, start, end) => this.#onMessage?.(format.decode(bytes, start, end));
  }

  /** Reports what the format finds invalid, and goes on. */
  #skippingInvalid(onSkipped: NonNullable<Boundary["onSkipped"]>): OnFrame {
    const format = this.#format;
    return (bytes, start, end) => {
      const message = tryDecode(format, bytes, start, end);
      if (!(message instanceof InvalidContent)) this.#onMessage?.(message);
      else onSkipped({ code: message.code, bytes: end - start, detail: `${format.name}: ${message.detail}` });
    };
  }

  #stuck(): UsageError {
    const detail = `${this.#boundary.name}: the codec is wrong: a message ends before bytes that it had asked for`;
    return optionInvalid({ op: "decode" }, detail);
  }
}

function tryDecode<Out>(
  format: MessageFormat<never, Out>,
  bytes: Buffer,
  start: number,
  end: number,
): Out | InvalidContent {
  if (format.tryDecode !== undefined) return format.tryDecode(bytes, start, end);
  try {
    return format.decode(bytes, start, end);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return new InvalidContent(error.detail);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
