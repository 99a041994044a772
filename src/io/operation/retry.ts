/** Waiting, and trying again while a server is not up yet. */

import { type ErrorCode, ZocaloError } from "../../core/errors.ts";
import { type Backoff, BackoffPauses, type BackoffTimes } from "../../core/options/backoff.ts";
import type { Clock, Network } from "../network/network.ts";
import { Deadline } from "./deadline.ts";

/** Waits for a time, unless the signal aborts. */
export function sleepOn(clock: Clock, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    // It cancels itself.
    void new Deadline(clock, { timeoutMs, signal }, (cause) => {
      if (typeof cause === "number") resolve();
      else reject(cause.reason);
    });
  });
}

/** The defaults of `retry`; the time-out of the call ends it. */
const RETRY_TIMES: BackoffTimes = { initialDelayMs: 100, maxDelayMs: 2000, timeoutMs: Infinity };

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

/**
 * Whether waiting may mend an error. A proxy whose server is not up yet takes the connection and ends it: where the peer
 * has the first word, and in a handshake, that is such an error too.
 */
export function mayMend(error: ZocaloError): boolean {
  return NOT_UP_YET.has(error.code) || (error.cause instanceof ZocaloError && error.cause.code === "END_OF_STREAM");
}

/** What is tried again, and when. */
interface Retrying {
  /** Whether to try again after this error. */
  readonly when: (error: ZocaloError) => boolean;
  /** How long the peer has asked to wait, in milliseconds. */
  readonly atLeastMs?: () => number;
}

/** Does `work` until it succeeds, fails for good, or the time is over. `signal` ends the pauses. */
export async function withRetry<T>(
  network: Network,
  options: Backoff | undefined,
  signal: AbortSignal,
  work: () => Promise<T>,
  { when, atLeastMs }: Retrying = { when: mayMend },
): Promise<T> {
  if (options === undefined) return await work();
  const { clock, random } = network;
  const backoff = new BackoffPauses(options, RETRY_TIMES, clock.now());
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const again = error instanceof ZocaloError && !signal.aborted && when(error);
      const delayMs = again ? backoff.next(clock.now(), random.next(), atLeastMs?.()) : undefined;
      if (delayMs === undefined) throw error;
      await sleepOn(clock, delayMs, signal);
    }
  }
}
