/** What the caller is told when a handler has no answer for it. Everything else stays on this side. */

import { isForCaller, RemoteError } from "../../core/contract/remote-error.ts";
import { type ErrorCode, ProtocolError, UsageError } from "../../core/errors.ts";
import { withoutStack } from "../../core/peer-error.ts";

const INTERNAL: RemoteError = new RemoteError("INTERNAL", "the handler failed");
const NO_FORM: RemoteError = new RemoteError("INTERNAL", "the handler has answered what cannot be sent");
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
