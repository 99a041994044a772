/** Waiting for work that goes on by itself: the caller may stop waiting. */

import { Deadline, expiryReason, type OperationContext, type OperationOptions, refusedAtOnce } from "./deadline.ts";
import type { Clock } from "../network/network.ts";

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
