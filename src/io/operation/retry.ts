/** Trying again, with a pause that grows and is drawn at random, so that many clients do not come back at once. */

import { type ErrorCode, ZocaloError } from "../../core/errors.ts";
import { FROM_ZERO, type OptionRule, options as object, POSITIVE } from "./check-options.ts";
import type { Network } from "../network/network.ts";

/** How long to wait for a server that is not up yet. */
export interface RetryOptions {
  /**
   * How long to go on, in milliseconds from the first attempt. The last attempt begins when this time is up, unless one is
   * under way then; its error is reported.
   */
  readonly timeoutMs: number;
  /** The first pause is drawn between 0 and this. Default 100. */
  readonly firstDelayMs?: number | undefined;
  /** The pauses grow no longer than this. Default 2000. */
  readonly maxDelayMs?: number | undefined;
}

/** What `retry` must look like. */
export const RETRY_RULE: OptionRule = object({
  timeoutMs: { ...FROM_ZERO, required: true },
  firstDelayMs: POSITIVE,
  maxDelayMs: POSITIVE,
});

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

/** Bounds of pauses, in milliseconds. */
export interface BackoffTimes {
  /** The first pause is drawn between 0 and this. */
  readonly firstDelayMs: number;
  /** The bound doubles up to this. */
  readonly maxDelayMs: number;
  /** So long after the first pause began, the last one ends. */
  readonly timeoutMs: number;
}

/** The pauses between attempts: full jitter below a bound that doubles. The last one ends when the time is up. */
export class Backoff {
  readonly #network: Network;
  readonly #times: BackoffTimes;
  readonly #endsAt: number;
  #failures: number;
  #last = false;

  /** Counts the time from now. `failures`: how often the bound has doubled already. */
  constructor(network: Network, times: BackoffTimes, failures: number = 0) {
    this.#network = network;
    this.#times = times;
    this.#endsAt = network.clock.now() + times.timeoutMs;
    this.#failures = failures;
  }

  /** How long to wait before the next attempt: `atLeastMs`, if there is so much time left. Undefined when there is no next one. */
  next(atLeastMs: number = 0): number | undefined {
    const { firstDelayMs, maxDelayMs } = this.#times;
    const restMs = this.#endsAt - this.#network.clock.now();
    if (this.#last || restMs <= 0) return undefined;
    const boundMs = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    const delayMs = atLeastMs + this.#network.random.next() * boundMs;
    this.#last = delayMs >= restMs;
    return Math.min(delayMs, restMs);
  }
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
  options: RetryOptions | undefined,
  signal: AbortSignal,
  work: () => Promise<T>,
  { when, atLeastMs }: Retrying = { when: mayMend },
): Promise<T> {
  const { timeoutMs = 0, firstDelayMs = 100, maxDelayMs = 2000 } = options ?? {};
  const backoff = new Backoff(network, { firstDelayMs, maxDelayMs, timeoutMs });
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const again = error instanceof ZocaloError && !signal.aborted && when(error);
      const delayMs = again ? backoff.next(atLeastMs?.()) : undefined;
      if (delayMs === undefined) throw error;
      await pause(network, delayMs, signal);
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
