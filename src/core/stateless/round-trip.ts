/** How long an answer takes, and so when it is time to ask again (RFC 6298; RFC 8085 section 3.1.1). */

/** When a question is asked again. */
export interface RetransmissionTimes {
  /** Before anything was measured, in milliseconds. Default 1000 (RFC 8085 section 3.1.1). */
  readonly initialMs: number;
  /** However fast the answers come, in milliseconds. Default 200. */
  readonly minMs: number;
  /** The pause doubles each time, up to this, in milliseconds. Default 60,000 (RFC 6298 section 2.5). */
  readonly maxMs: number;
}

/** The defaults. */
export const DEFAULT_TIMES: RetransmissionTimes = { initialMs: 1000, minMs: 200, maxMs: 60_000 };

/** The clock is taken to tell milliseconds: the G of RFC 6298. */
const GRANULARITY_MS = 1;

/** What was measured about one server. */
export class RoundTrip {
  readonly #times: RetransmissionTimes;
  #smoothedMs: number | undefined;
  #variationMs = 0;

  constructor(times: RetransmissionTimes) {
    this.#times = times;
  }

  /** The smoothed round-trip time; undefined before the first answer. */
  get smoothedMs(): number | undefined {
    return this.#smoothedMs;
  }

  /** The retransmission time-out. */
  get timeoutMs(): number {
    const { initialMs, minMs, maxMs } = this.#times;
    if (this.#smoothedMs === undefined) return Math.min(initialMs, maxMs);
    const ms = this.#smoothedMs + Math.max(GRANULARITY_MS, 4 * this.#variationMs);
    return Math.min(Math.max(ms, minMs), maxMs);
  }

  /** An answer to a question that was asked once came after `ms`. Others do not count: Karn's rule (section 3). */
  measured(ms: number): void {
    if (this.#smoothedMs === undefined) {
      // Section 2.2.
      this.#smoothedMs = ms;
      this.#variationMs = ms / 2;
      return;
    }
    // Section 2.3: beta is 1/4 and alpha is 1/8.
    this.#variationMs += (Math.abs(this.#smoothedMs - ms) - this.#variationMs) / 4;
    this.#smoothedMs += (ms - this.#smoothedMs) / 8;
  }
}
