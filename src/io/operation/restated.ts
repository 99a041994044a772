/** One error, told again as the answer to another call. */

import {
  ConnectError,
  ConnectionError,
  type ErrorDetails,
  type ErrorOutcome,
  ProtocolError,
  TimeoutError,
  UsageError,
  ZocaloError,
} from "../../core/errors.ts";
import type { OperationContext } from "./deadline.ts";

/** The same failure, of the operation of `context`, with what is known about that operation's datagrams or bytes. */
export function restated(error: ZocaloError, context: OperationContext, outcome?: ErrorOutcome): ZocaloError {
  const { code, detail, side, cause } = error;
  const details: ErrorDetails = { ...context, detail, side, outcome, cause: cause ?? error };
  if (error instanceof TimeoutError) return new TimeoutError(code, { ...details, attempts: error.attempts });
  if (error instanceof ProtocolError) return new ProtocolError(code, details);
  if (error instanceof UsageError) return new UsageError(code, details);
  // A handshake that failed is told once as such; later calls find a connection that is gone.
  if (error instanceof ConnectionError || error instanceof ConnectError) return new ConnectionError(code, details);
  return new ZocaloError(code, details);
}

/** For `catch`: what a call that stands on another one rejects with when that fails. */
export function toldAs(op: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof ZocaloError)) throw error;
    throw restated(error, { op, local: error.local, remote: error.remote }, error.outcome);
  };
}

/** The same error, of the call and the connection of `context`. What a handler has thrown stays as it is. */
export function codecFailure(error: unknown, context: OperationContext): unknown {
  const bare = error instanceof ZocaloError && (error.op === "decode" || error.op === "encode");
  return bare ? restated(error, context, error.outcome) : error;
}
