/** Closing so that the last answer arrives (SEMANTICS A2; RFC 9293 section 3.6.1 explains why a plain close destroys it). */

import { TimeoutError } from "../core/errors.ts";
import type { OperationContext } from "./deadline.ts";
import type { Inbound } from "./inbound.ts";
import type { Clock } from "./network.ts";
import type { Outbound } from "./outbound.ts";
import type { CloseOptions } from "./stream-end.ts";

const DEFAULT_LINGER_MS = 2000;
const DEFAULT_LINGER_BYTES = 1_048_576;

/**
 * Sends what was accepted, then FIN, then discards input until the peer's FIN. Rejects when accepted bytes did not reach
 * the kernel within the time; resolves when they did, however the peer behaves afterwards. The caller then releases the
 * socket.
 */
export async function linger(
  clock: Clock,
  inbound: Inbound,
  outbound: Outbound,
  options: CloseOptions,
  context: OperationContext,
): Promise<void> {
  const lingerMs = options.lingerMs ?? DEFAULT_LINGER_MS;
  const drained = new Promise<void>((resolve) => {
    inbound.discard(options.lingerBytes ?? DEFAULT_LINGER_BYTES, () => resolve());
  });
  await within(clock, outbound.end(), lingerMs, () => {
    const detail = `what was written could not be handed to the kernel within ${lingerMs} ms: the peer does not read`;
    return new TimeoutError("TIMEOUT", { ...context, detail, outcome: "unknown" });
  });
  await within(clock, drained, lingerMs, () => undefined);
}

/** Waits for `work`, at most `limitMs`; then rejects with `late()`, or just goes on if that is nothing. */
function within(clock: Clock, work: Promise<void>, limitMs: number, late: () => Error | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => {
      const error = late();
      if (error === undefined) resolve();
      else reject(error);
    }, limitMs);
    work.then(
      () => {
        timer.cancel();
        resolve();
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
