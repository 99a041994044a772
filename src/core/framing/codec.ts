/**
 * The contract between a codec and whoever moves the bytes.
 *
 * A codec joins two parts. A {@link Boundary} says where each message begins and ends in the stream, and knows nothing of
 * its content. A {@link MessageFormat} says what the bytes of one message mean, and knows nothing of the stream. Most
 * programs use codecs as they come, and meet these types only when they write their own; `defineCodec()` is the short way.
 *
 * Everything here is synchronous. A decoder is handed bytes, whatever their size and wherever they were cut, and calls
 * back once for each message that is complete. Need-more, end and error are three different answers: more is needed when
 * `decode` returns without a call; `end` says that no more will come, and throws when a message was not finished; an
 * error is thrown, and thrown again by every later call.
 */

import type { ByteWriter } from "../bytes/byte-writer.ts";
import type { InvalidContent } from "./frame-error.ts";

/** Receives the bytes of one message: `bytes[start, end)`, valid until the call returns. */
export type OnFrame = (bytes: Buffer, start: number, end: number) => void;

/** Translates between messages and a stream of bytes. It keeps no state of a connection and may be shared by many. */
export interface Codec<In, Out = In> {
  /** Names the codec in errors: `lines`, `lengthPrefix+json`. */
  readonly name: string;
  /** The longest message in bytes, as sent and as received. What exactly counts is said by each codec. */
  readonly maxFrameBytes: number;
  /** A decoder for one stream. */
  createDecoder(): Decoder<Out>;
  /**
   * Appends one message to what is to be sent. Writes all of it or, when it throws, nothing.
   *
   * @throws UsageError `FRAME_TOO_LONG` or `FRAME_INVALID` with side `local`: the message has no form in this codec.
   */
  encode(message: In, writer: ByteWriter): void;
}

/**
 * Finds the messages of one stream. Time is linear in the bytes plus the calls, however the bytes are cut. Between calls
 * it holds only the bytes of a message that is not complete: memory follows the bytes received, never a length that was
 * announced.
 */
export interface Decoder<Out> {
  /**
   * The longest message in bytes; begins as that of the codec, and may be changed at any time, for example raised after
   * the peer has proved who it is. A message of which a part is held already keeps the limit it began with. Setting what is
   * no limit throws `OPTION_INVALID`.
   */
  maxFrameBytes: number;
  /** Bytes of an unfinished message that are held. */
  readonly heldBytes: number;

  /**
   * Decodes `bytes[start, end)` and calls `onMessage` for each message that is complete.
   *
   * The bytes may be reused when the call returns. A message that is a view of them (codecs of bytes only) is valid until
   * `onMessage` returns; {@link Decoder.own} makes it last. `onMessage` must not call this decoder, except for `stop`,
   * `own`, `takeRest` and `maxFrameBytes`. When it throws, the decoder stays in that error, since nobody can know what became of
   * the message.
   *
   * @returns how many bytes were used: all of them, or fewer after {@link Decoder.stop}.
   * @throws ProtocolError `FRAME_TOO_LONG`, `FRAME_INVALID`. The messages before the wrong one were delivered.
   */
  decode(bytes: Uint8Array, start: number, end: number, onMessage: (message: Out) => void): number;
  /**
   * Like {@link Decoder.decode}, one step lower: gives the bytes of each message in place, without decoding them and
   * without making any object. The fastest way; the protocol layer stands on it.
   */
  scan(bytes: Uint8Array, start: number, end: number, onFrame: OnFrame): number;
  /** Called by a callback: the `decode` or `scan` under way returns after this message and leaves the rest unused. */
  stop(): void;
  /**
   * How many messages may still be delivered or skipped before `decode` and `scan` return as after `stop`. They count it down;
   * whoever serves many streams sets it at each turn, so that a peer with the smallest messages keeps nobody waiting. Default
   * Infinity. Missing: there is no such bound.
   */
  stepsLeft?: number;
  /**
   * Asked in `onMessage`: whether the bytes of this message stand in those that were handed to `decode`, so that a view of
   * them is valid for as long as they are, and {@link Decoder.own} is not needed before. False for a message that was put
   * together from several pieces or had to be unescaped. Missing: never.
   */
  readonly inPlace?: boolean;
  /**
   * Called in `onMessage`: the same message, for as long as the caller likes. Copies a message that is a view; returns any
   * other as it is.
   */
  own(message: Out): Out;
  /**
   * Gives back the bytes of the unfinished message and forgets it, so that somebody else can read them. Together with the
   * bytes that `decode` left unused, this is everything that was received and not delivered.
   */
  takeRest(): Buffer;
  /**
   * Says that no more bytes will come.
   *
   * @throws ProtocolError `FRAME_TRUNCATED` when a message was not finished.
   */
  end(): void;
}

/** What a decoder tells a {@link Framer}, and what the framer answers. One object serves all messages of a stream. */
export interface FrameSpan {
  /** Told: where the search may go on; what stands before was looked at by an earlier call for the same message. */
  readonly seen: number;
  /** Told: the longest message in bytes. */
  readonly limit: number;
  /** Answered: where the content of the message begins; -1 when the bytes held no message and are to be dropped. */
  from: number;
  /** Answered: where the content ends. */
  to: number;
  /** Answered: the buffer with the content, where it is not the one that was searched because it had to be unescaped. */
  source: Buffer | undefined;
}

/** Finds where a message ends, for one stream. */
export interface Framer {
  /**
   * Looks at `bytes[start, end)`, which begins with the first byte of a message.
   *
   * When the message is complete there, answers where the next one begins, and tells in `span` where the content is. When
   * it is not, answers the number of bytes that are needed from `start` on before it is worth asking again, negated: at
   * least one more than there are, at most what the message has at least. Then the decoder keeps the bytes, and asks again
   * with the same ones and more, and with `span.seen` where the first call ended.
   *
   * @throws ProtocolError `FRAME_TOO_LONG`, as early as it can be known; `FRAME_INVALID`.
   */
  find(bytes: Buffer, start: number, end: number, span: FrameSpan): number;
  /** Bytes of an unfinished message that were dropped already, because it is being skipped; 0 or missing otherwise. */
  readonly droppedBytes?: number;
}

/** A message that was skipped by a codec which may resynchronise. */
export interface SkippedFrame {
  /** `FRAME_TOO_LONG` or `FRAME_INVALID`. */
  readonly code: "FRAME_TOO_LONG" | "FRAME_INVALID";
  /** The bytes that were dropped, with the mark at the end. */
  readonly bytes: number;
  /** What was wrong. */
  readonly detail: string;
}

/** Called for each message that was skipped. What it throws ends the decoding. */
export type OnSkipped = (skipped: SkippedFrame) => void;

/** The part of a codec that says where messages begin and end. */
export interface Boundary {
  /** Names the codec in errors. */
  readonly name: string;
  /** The longest message in bytes. */
  readonly maxFrameBytes: number;
  /** Set when the boundary can find the next message after a wrong one, and was asked to: then wrong ones are reported here. */
  readonly onSkipped?: OnSkipped | undefined;
  /** A framer for one stream; the same for all streams when it keeps no state. */
  createFramer(): Framer;
  /**
   * Appends the message with the content `bytes[start, end)`. All checks come before the first byte is written.
   *
   * @throws UsageError `FRAME_TOO_LONG`, `FRAME_INVALID`.
   */
  frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void;
  /** The same for content that is the UTF-8 of a text, where that can be done without the detour over bytes. */
  frameText?(text: string, writer: ByteWriter): void;
}

/** The part of a codec that says what the bytes of one message mean. Keeps no state. */
export interface MessageFormat<In, Out = In> {
  /** Names the format in errors. */
  readonly name: string;
  /**
   * The message whose content is `bytes[start, end)`.
   *
   * @throws ProtocolError `FRAME_INVALID`.
   */
  decode(bytes: Buffer, start: number, end: number): Out;
  /**
   * The same, but answers an {@link InvalidContent} where `decode` throws, which takes a hundredth of the time. Used where
   * invalid messages are skipped. Missing: `decode` is used there too.
   */
  tryDecode?(bytes: Buffer, start: number, end: number): Out | InvalidContent;
  /**
   * The content of a message; a string stands for its UTF-8. Bytes are not changed afterwards by whoever returned them.
   *
   * @throws UsageError `FRAME_INVALID`.
   */
  encode(message: In): Uint8Array | string;
  /**
   * Makes a message last that is, or has, a view of the bytes it was decoded from. Missing: no message has one.
   *
   * @param lasting - Nobody will write to those bytes again, and there are not many more beneath: no copy is needed.
   */
  own?(message: Out, lasting: boolean): Out;
}
