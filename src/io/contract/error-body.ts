/** The errors of a program as the bodies of messages: JSON in every codec. */

import { isForCaller, RemoteError, remoteErrorFields, remoteErrorOf } from "../../core/contract/remote-error.ts";
import { type ErrorCode, ProtocolError, UsageError } from "../../core/errors.ts";
import type { MessageFormat } from "../../core/framing/codec.ts";
import { json } from "../../core/framing/formats/json.ts";
import { InvalidContent } from "../../core/framing/frame-error.ts";
import { withoutStack } from "../../core/peer-error.ts";
import type { BodyPlace } from "../../core/session/outgoing.ts";
import { textPlace } from "./format.ts";

const INTERNAL: RemoteError = new RemoteError("INTERNAL", "the handler failed");
const NO_FORM: RemoteError = new RemoteError("INTERNAL", "the answer of the handler cannot be sent");
/** An answer that is too much: the caller may ask for less, or take more. */
const TOO_MUCH: readonly ErrorCode[] = ["FRAME_TOO_LONG", "DATAGRAM_TOO_LARGE"];

/** Of a question that makes no sense: why, since it is the caller's own. */
export function ofQuestion(cause: unknown): RemoteError {
  return isPeersFault(cause) ? withoutStack(() => new RemoteError(cause.code, cause.detail)) : INTERNAL;
}

/** Whether a peer has sent what makes no sense. */
export function isPeersFault(cause: unknown): cause is ProtocolError {
  return cause instanceof ProtocolError && cause.side === "remote";
}

/** Of what the handler threw: only what the application meant for its caller, never the error of another service. */
export function ofHandler(cause: unknown): RemoteError {
  return isForCaller(cause) ? cause : INTERNAL;
}

/** Of an answer that cannot be sent: how much it is, where that is the reason. What is in it stays on this side. */
export function ofAnswer(cause: unknown): RemoteError {
  if (!(cause instanceof UsageError)) return ofHandler(cause);
  if (TOO_MUCH.includes(cause.code)) return new RemoteError(cause.code, cause.detail);
  return cause.code === "FRAME_INVALID" ? NO_FORM : INTERNAL;
}

const FORMAT: MessageFormat<object, unknown> = json();
const ROUNDING: MessageFormat<object, unknown> = json({ inexact: "round" });

const LEAST: RemoteError = new RemoteError("INTERNAL");

/** In how many forms an error can be told, each shorter than the one before: data that cannot be sent costs no code. */
export const ERROR_FORMS = 4;

/**
 * Where the body of an error stands, until the next one is encoded. Form 0 is the whole error, 1 has no data, 2 has the code
 * only, and 3, which can always be sent, says `INTERNAL`.
 *
 * @throws UsageError `FRAME_INVALID`, `FRAME_TOO_LONG`: its data cannot be sent. What a getter of the error throws.
 */
export function errorBody(error: RemoteError, form: number): BodyPlace {
  let told = form === 0 ? error : LEAST;
  if (form === 1) told = new RemoteError(error.code, error.message);
  if (form === 2) told = new RemoteError(error.code);
  return textPlace(FORMAT.encode(remoteErrorFields(told)) as string);
}

/** The error of a body; `INTERNAL` when it makes no sense. Data with a number that would be another one here costs no code. */
export function readErrorBody(bytes: Buffer, start: number, end: number): RemoteError {
  const fields = FORMAT.tryDecode?.(bytes, start, end);
  if (!(fields instanceof InvalidContent)) return remoteErrorOf(fields);
  const rounded = ROUNDING.tryDecode?.(bytes, start, end);
  return remoteErrorOf(rounded instanceof InvalidContent ? undefined : { ...(rounded as object), data: undefined });
}
