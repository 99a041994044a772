/** The errors of framing: what a peer did wrong, and what this program cannot send. */

import { type ErrorCode, type ProtocolError, UsageError } from "../errors.ts";
import { cutText, peerError } from "../peer-error.ts";

const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f]+/g;
const LONGEST_REASON = 200;
/** The operation that these errors name. */
const DECODE = "decode";
const ENCODE = "encode";

/** `FRAME_TRUNCATED`: the stream ended inside a message, `heldBytes` of which had come. */
export function frameTruncated(codec: string, heldBytes: number): ProtocolError {
  const detail = `${codec}: the stream ended in the middle of a message, ${heldBytes} bytes of which had come`;
  return peerError("FRAME_TRUNCATED", { op: DECODE, detail });
}

/** `FRAME_TOO_LONG`: the peer began or announced a message of more than `limitBytes`. */
export function frameTooLong(codec: string, limitBytes: number): ProtocolError {
  return contentInvalid(codec, longerThan(limitBytes));
}

/** Of a message that is longer than it may be. */
export function longerThan(limitBytes: number): InvalidContent {
  const detail = `the peer sends a message longer than ${limitBytes} bytes; raise the limit, or drop the peer`;
  return new InvalidContent(detail, "FRAME_TOO_LONG");
}

/** `FRAME_INVALID`: the bytes are not what the codec allows. */
export function frameInvalid(codec: string, problem: string, cause?: unknown): ProtocolError {
  return peerError("FRAME_INVALID", { op: DECODE, detail: `${codec}: ${problem}`, cause });
}

/** What a codec of the program threw, as a part of a sentence: its own text, in one line of printable characters. */
export function thrownReason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return cutText(text.replaceAll(UNPRINTABLE, " "), LONGEST_REASON) || "it is not valid";
}

/** The error for what is invalid. */
export function contentInvalid(codec: string, { code, detail, cause }: InvalidContent): ProtocolError {
  return peerError(code, { op: DECODE, detail: `${codec}: ${detail}`, cause });
}

/** What a format has made of the content; throws when that is invalid. */
export function validContent<Out>(format: string, content: Out | InvalidContent): Out {
  if (content instanceof InvalidContent) throw contentInvalid(format, content);
  return content;
}

/** `FRAME_TOO_LONG` of this side: a message of `bytes` is longer than what may be sent. */
export function messageTooLong(codec: string, bytes: number, limitBytes: number): UsageError {
  const detail = `a message of ${bytes} bytes is longer than the ${limitBytes} that may be sent; raise the limit on both sides`;
  return unsendable("FRAME_TOO_LONG", codec, detail);
}

/** `FRAME_INVALID` of this side: the codec has no form for this message. Nothing was written. */
export function messageInvalid(codec: string, problem: string, cause?: unknown): UsageError {
  return unsendable("FRAME_INVALID", codec, problem, cause);
}

/** The error of this side for a message that the format has no form for, or not so much of. */
export function contentUnsendable(format: string, { code, detail }: InvalidContent): UsageError {
  return unsendable(code, format, detail);
}

function unsendable(code: ErrorCode, codec: string, problem: string, cause?: unknown): UsageError {
  return new UsageError(code, { op: ENCODE, detail: `${codec}: ${problem}`, side: "local", outcome: "none", cause });
}

/**
 * What {@link MessageFormat.tryDecode} answers for bytes that are no message of the format. It is no `Error`: that has a
 * stack, which costs more than most messages, and whoever sends nonsense must not get more work out of it than whoever
 * sends messages.
 */
export class InvalidContent {
  /** `FRAME_INVALID`; `FRAME_TOO_LONG` for a message of more than what the format takes. */
  readonly code: "FRAME_INVALID" | "FRAME_TOO_LONG";
  /** What is wrong, as a part of a sentence. */
  readonly detail: string;
  /** What threw, where something did. */
  readonly cause: unknown;

  constructor(detail: string, code: "FRAME_INVALID" | "FRAME_TOO_LONG" = "FRAME_INVALID", cause?: unknown) {
    this.detail = detail;
    this.code = code;
    this.cause = cause;
  }
}
