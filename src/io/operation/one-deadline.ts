/** One deadline for the many calls that one call makes. */

import type { ErrorOutcome } from "../../core/errors.ts";
import { Deadline, expiryReason, type OperationContext, type OperationOptions, refusedAtOnce } from "./deadline.ts";
import type { Clock } from "../network/network.ts";

/** Does `work`, which passes the options that it is given to each of its calls, as long as the options of its caller allow. */
export async function withOneDeadline<T>(
  clock: Clock,
  options: OperationOptions,
  context: OperationContext,
  outcome: ErrorOutcome,
  work: (each: OperationOptions | undefined) => Promise<T>,
): Promise<T> {
  const refused = refusedAtOnce(options, () => context);
  if (refused !== undefined) throw refused.reason;
  const expired = new AbortController();
  const deadline = Deadline.of(clock, options, (cause) => expired.abort(expiryReason(cause, context, outcome)));
  try {
    return await work(deadline === undefined ? undefined : { signal: expired.signal });
  } finally {
    deadline?.cancel();
  }
}
