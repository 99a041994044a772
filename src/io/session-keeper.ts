/** How a program ends one session. */

import { ConnectionError } from "../core/errors.ts";
import type { OperationContext, OperationOptions } from "./deadline.ts";
import type { SessionEndpoint } from "./session-endpoint.ts";
import { withDeadline } from "./with-deadline.ts";

const DEFAULT_DRAIN_MS = 5000;

/** The error of a session that this program gives up. */
export function abortError(reason: unknown): ConnectionError {
  return new ConnectionError("CONNECTION_ABORTED", {
    op: "session",
    detail: "this program gave the session up",
    cause: reason,
  });
}

/** Finishes what is under way, at most for the time of the options, and closes. Answers whether all was finished. */
export async function drainEndpoint(
  endpoint: SessionEndpoint,
  options: OperationOptions,
  say: { readonly retryAfterMs: number; readonly message: string },
): Promise<boolean> {
  const context: OperationContext = { op: "drain" };
  const { timeoutMs = DEFAULT_DRAIN_MS, signal } = options;
  let finished = true;
  if (signal?.aborted === true) finished = endpoint.machine.pending === 0;
  else if (endpoint.status === "open" || endpoint.status === "leaving") {
    const left = endpoint.leave(say.retryAfterMs);
    try {
      await withDeadline(endpoint.settings.clock, left, { timeoutMs, signal }, context);
    } catch {
      finished = false;
    }
  }
  await endpoint.close(say.message);
  return finished;
}
