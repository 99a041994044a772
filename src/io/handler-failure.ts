/** What the caller is told when a handler has no answer for it. Everything else stays on this side. */

import { isForCaller, RemoteError } from "../core/contract/remote-error.ts";
import { ProtocolError } from "../core/errors.ts";

const INTERNAL: RemoteError = new RemoteError("INTERNAL", "the handler failed");

/** Of a question that makes no sense: why, since it is the caller's own. */
export function ofQuestion(cause: unknown): RemoteError {
  if (cause instanceof ProtocolError && cause.side === "remote") return new RemoteError(cause.code, cause.detail);
  return INTERNAL;
}

/** Of what the handler threw: only what the application meant for its caller, never the error of another service. */
export function ofHandler(cause: unknown): RemoteError {
  return isForCaller(cause) ? cause : INTERNAL;
}
