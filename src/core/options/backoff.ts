/** Pauses that grow and are drawn at random, so that many clients do not come back at once. */

import { FROM_ZERO, type OptionRule, options as object } from "./check-options.ts";

/** How often, and for how long, something is tried again: `retry` and `reconnect`. */
export interface Backoff {
  /** The first pause is drawn between 0 and this, in milliseconds (full jitter). Default 100 of `retry`, 30 of `reconnect`. */
  readonly initialDelayMs?: number | undefined;
  /** The bound of a pause doubles with each attempt, up to this, in milliseconds. Default 2,000 of `retry`, 10,000 of `reconnect`. */
  readonly maxDelayMs?: number | undefined;
  /**
   * How long to go on, in milliseconds. The last attempt begins when this time is up, unless one is under way then; its error is
   * reported. `Infinity` never gives up. Default: `retry` goes on as long as the `timeoutMs` of its call, `reconnect` for 300,000.
   */
  readonly timeoutMs?: number | undefined;
}

/** The default of each part. */
export interface BackoffTimes {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly timeoutMs: number;
}

/** What {@link Backoff} must look like. */
export const BACKOFF: OptionRule = object({
  initialDelayMs: FROM_ZERO,
  maxDelayMs: FROM_ZERO,
  timeoutMs: FROM_ZERO,
});

/** The pauses between attempts: full jitter below a bound that doubles. The last one ends when the time is up. */
export class BackoffPauses {
  readonly #initialDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #endsAt: number;
  #failures: number;
  #last = false;

  /** Counts the time from `now`. `failures`: how often the bound has doubled already. */
  constructor(options: Backoff, defaults: BackoffTimes, now: number, failures: number = 0) {
    const { initialDelayMs, maxDelayMs, timeoutMs } = defaults;
    this.#initialDelayMs = options.initialDelayMs ?? initialDelayMs;
    this.#maxDelayMs = options.maxDelayMs ?? maxDelayMs;
    this.#endsAt = now + (options.timeoutMs ?? timeoutMs);
    this.#failures = failures;
  }

  /**
   * How long to wait before the next attempt: `atLeastMs`, if there is so much time left. Undefined when there is no next one.
   * `random` is in [0, 1).
   */
  next(now: number, random: number, atLeastMs: number = 0): number | undefined {
    const restMs = this.#endsAt - now;
    if (this.#last || restMs <= 0) return undefined;
    const boundMs = Math.min(this.#maxDelayMs, this.#initialDelayMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    const delayMs = atLeastMs + random * boundMs;
    this.#last = delayMs >= restMs;
    return Math.min(delayMs, restMs);
  }
}
