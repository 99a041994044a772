/** Trying again, with a pause that grows and is drawn at random, so that many clients do not come back at once. */

import { type ErrorCode, ZocaloError } from "../core/errors.ts";
import type { Network } from "./network.ts";

/** How long to wait for a server that is not up yet. */
export interface RetryOptions {
  /** Longest time in milliseconds from the first attempt; then the last error is reported. */
  readonly timeoutMs: number;
  /** The first pause is drawn between 0 and this. Default 100. */
  readonly firstDelayMs?: number | undefined;
  /** The pauses grow no longer than this. Default 2000. */
  readonly maxDelayMs?: number | undefined;
}

/** What a server that starts soon looks like: its port refuses, its path or its name is not there yet. */
const NOT_UP_YET: ReadonlySet<ErrorCode> = new Set([
  "CONNECTION_REFUSED",
  "CONNECTION_RESET",
  "CONNECTION_TIMED_OUT",
  "HOST_UNREACHABLE",
  "NETWORK_UNREACHABLE",
  "PATH_NOT_FOUND",
  "NAME_NOT_FOUND",
  "NAME_LOOKUP_FAILED",
]);

/** Does `work` until it succeeds, fails for good, or the time is over; full jitter between 0 and a doubling bound. */
export async function withRetry<T>(
  network: Network,
  options: RetryOptions | undefined,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const { clock, random } = network;
  const until = clock.now() + (options?.timeoutMs ?? 0);
  let bound = options?.firstDelayMs ?? 100;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const again = options !== undefined && error instanceof ZocaloError && NOT_UP_YET.has(error.code);
      const delayMs = random.next() * bound;
      if (!again || clock.now() + delayMs >= until) throw error;
      await pause(network, delayMs, signal);
      bound = Math.min(bound * 2, options.maxDelayMs ?? 2000);
    }
  }
}

function pause(network: Network, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = network.clock.setTimer(() => {
      signal.removeEventListener("abort", aborted);
      resolve();
    }, delayMs);
    signal.addEventListener("abort", aborted, { once: true });
  });
}
