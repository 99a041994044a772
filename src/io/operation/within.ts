/** Work that ends in time: waiting for it, opening with it, and one limit for many calls. */

import type { ErrorOutcome } from "../../core/errors.ts";
import type { Clock } from "../network/network.ts";
import { Deadline, expiryReason, type OperationContext, type OperationOptions, refusedAtOnce } from "./deadline.ts";

/** Lets one caller wait for `work` as long as its options allow. The work itself goes on. */
export async function withDeadline<T>(
  clock: Clock,
  work: Promise<T>,
  options: OperationOptions | undefined,
  context: OperationContext,
): Promise<T> {
  let deadline: Deadline | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    deadline = Deadline.of(clock, options, (cause) => reject(expiryReason(cause, context)));
  });
  try {
    return deadline === undefined ? await work : await Promise.race([work, expired]);
  } finally {
    deadline?.cancel();
  }
}

/** Opens something as long as the options of one caller allow. What opens after it was given up is closed again. */
export async function openWithin<T extends { close(): Promise<unknown> }>(
  clock: Clock,
  open: () => Promise<T>,
  options: OperationOptions,
  context: OperationContext,
): Promise<T> {
  const refused = refusedAtOnce(options, () => context);
  if (refused !== undefined) throw refused.reason;
  const opening = open();
  try {
    return await withDeadline(clock, opening, options, context);
  } catch (error) {
    opening.then((opened) => opened.close()).catch(() => undefined);
    throw error;
  }
}

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
