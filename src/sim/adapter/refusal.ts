/** From what a simulated kernel answers to the errors that the kernel's sockets would give. */

import { ConnectError, ConnectionError, type ErrorCode, UsageError, ZocaloError } from "../../core/errors.ts";
import type { OperationContext } from "../../io/operation/deadline.ts";
import { KernelRefusal } from "../kernel/ports.ts";
import type { TcpFailure } from "../kernel/tcp-connection.ts";

const FAILURES: Readonly<Record<TcpFailure, ErrorCode>> = {
  refused: "CONNECTION_REFUSED",
  reset: "CONNECTION_RESET",
  "timed out": "CONNECTION_TIMED_OUT",
  "host unreachable": "HOST_UNREACHABLE",
  "network unreachable": "NETWORK_UNREACHABLE",
};
const USAGE: ReadonlySet<ErrorCode> = new Set(["ADDRESS_INVALID", "OPTION_INVALID", "UNSUPPORTED"]);

/** The typed error of a failure. */
export function failureError(failure: TcpFailure, context: OperationContext): ZocaloError {
  const code = FAILURES[failure];
  if (context.op === "connect") return new ConnectError(code, context);
  if (context.op === "read") return new ConnectionError(code, { ...context, outcome: "unknown" });
  return new ZocaloError(code, context);
}

/** The typed error of a call that the simulated kernel refused. */
export function refusalError(error: unknown, context: OperationContext): unknown {
  if (!(error instanceof KernelRefusal)) return error;
  if (USAGE.has(error.code)) return new UsageError(error.code, context);
  if (context.op === "connect") return new ConnectError(error.code, context);
  return new ZocaloError(error.code, context);
}
