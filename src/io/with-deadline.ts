/** Waiting for work that goes on by itself: the caller may stop waiting. */

import { Deadline, expiryReason, type OperationContext, type OperationOptions } from "./deadline.ts";
import type { Clock } from "./network.ts";

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
