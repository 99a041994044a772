/** How a program ends one session. */

import { ConnectionError } from "../core/errors.ts";
import { Deadline, type OperationOptions } from "./deadline.ts";
import type { Clock } from "./network.ts";
import type { SessionEndpoint } from "./session-endpoint.ts";

const DEFAULT_DRAIN_MS = 5000;

/** The error of a session that this program gives up. */
export function abortError(reason: unknown): ConnectionError {
  return new ConnectionError("CONNECTION_ABORTED", {
    op: "session",
    detail: "this program gave the session up",
    cause: reason,
  });
}

/** What a peer is told of which this side takes leave. */
interface Farewell {
  readonly retryAfterMs: number;
  readonly message: string;
}

/** Finishes what is under way, at most for the time of the options, and closes. Answers whether all was finished. */
export async function drainEndpoint(
  endpoint: SessionEndpoint,
  options: OperationOptions,
  say: Farewell,
): Promise<boolean> {
  const [finished] = await drainEndpoints([endpoint], endpoint.settings.clock, options, () => say);
  return finished === true;
}

/** The same for many, with one timer and one listener. Answers for each whether all was finished. */
export async function drainEndpoints(
  endpoints: readonly SessionEndpoint[],
  clock: Clock,
  options: OperationOptions,
  say: () => Farewell,
): Promise<readonly boolean[]> {
  const { timeoutMs = DEFAULT_DRAIN_MS, signal } = options;
  let deadline: Deadline | undefined;
  const expired = new Promise<"late">((resolve) => {
    deadline = Deadline.of(clock, { timeoutMs, signal }, () => resolve("late"));
  });
  const drained = endpoints.map(async (endpoint) => {
    const { retryAfterMs, message } = say();
    const open = endpoint.status === "open" || endpoint.status === "leaving";
    let finished = true;
    if (signal?.aborted === true) finished = endpoint.machine.pending === 0;
    else if (open) finished = (await Promise.race([endpoint.leave(retryAfterMs), expired])) !== "late";
    await endpoint.close(message);
    return finished;
  });
  const outcomes = await Promise.all(drained);
  deadline?.cancel();
  return outcomes;
}
