/** One call over datagrams: when it is sent again, and which answers end it. */

import { type AnswerDatagram, MAX_COOKIE_BYTES, RETRY } from "./datagram.ts";

/** Pauses are longer by up to half, drawn at random, so that many clients do not ask at the same time (RFC 7252 section 4.2). */
const MOST_JITTER = 0.5;
/** So often a cookie is answered at once; later ones wait for the next transmission, so that no server makes a client fast. */
const RETRIES_AT_ONCE = 3;

/** What an answer means for the call. `again`: send it once more, now. `wait`: nothing yet. `over`: it is the answer. */
type Verdict = "again" | "wait" | "over";

/** The state of one call. It is told when it is sent, and of the answers whose id and source are right. */
export class Exchange {
  readonly #roundTrip: RoundTrip;
  readonly #times: RetransmissionTimes;
  #intervalMs: number;
  #transmissions = 0;
  #retries = 0;
  #sentAt = 0;
  #cookie: Uint8Array | undefined;

  constructor(roundTrip: RoundTrip, times: RetransmissionTimes) {
    this.#roundTrip = roundTrip;
    this.#times = times;
    this.#intervalMs = roundTrip.timeoutMs;
  }

  /** How often it was sent. */
  get transmissions(): number {
    return this.#transmissions;
  }

  /**
   * It is sent now. Answers after how many milliseconds it is sent again, if no answer comes. `random` is in [0, 1). At
   * `deadline` nobody waits for the answer any more: the last time is early enough before it.
   */
  sent(now: number, cookie: Uint8Array, random: number, deadline: number = Infinity): number {
    this.#transmissions += 1;
    this.#sentAt = now;
    this.#cookie = cookie;
    const pauseMs = this.#intervalMs * (1 + MOST_JITTER * random);
    // RFC 8085 section 3.1.1, RFC 6298 section 5.5: each loss doubles the pause.
    this.#intervalMs = Math.min(this.#intervalMs * 2, this.#times.maxDelayMs);
    const restMs = deadline - now;
    if (pauseMs < restMs) return pauseMs;
    // Never sooner than a first transmission is followed by a second.
    const { timeoutMs } = this.#roundTrip;
    return Math.max(timeoutMs, restMs - timeoutMs);
  }

  /** An answer came. A cookie is in the body of a `RETRY`. */
  received(answer: AnswerDatagram, now: number): Verdict {
    if (answer.type !== RETRY) {
      this.#measure(now);
      return "over";
    }
    const { bytes, start, end } = answer.body;
    if (end === start || end - start > MAX_COOKIE_BYTES) return "wait";
    // An answer to an earlier transmission: the cookie was sent meanwhile.
    if (this.#cookie !== undefined && Buffer.compare(this.#cookie, bytes.subarray(start, end)) === 0) return "wait";
    this.#measure(now);
    this.#retries += 1;
    if (this.#retries > RETRIES_AT_ONCE) return "wait";
    // Nothing was lost: the pause is that of a first transmission again.
    this.#intervalMs = this.#roundTrip.timeoutMs;
    return "again";
  }

  #measure(now: number): void {
    if (this.#transmissions === 1) this.#roundTrip.measured(now - this.#sentAt);
  }
}

/** When a question is asked again. */
export interface RetransmissionTimes {
  /** Before anything was measured, in milliseconds. Default 1000 (RFC 8085 section 3.1.1). */
  readonly initialDelayMs: number;
  /** However fast the answers come, in milliseconds. Default 200. */
  readonly minDelayMs: number;
  /** The pause doubles each time, up to this, in milliseconds. Default 60,000 (RFC 6298 section 2.5). */
  readonly maxDelayMs: number;
}

/** The defaults. */
export const DEFAULT_TIMES: RetransmissionTimes = { initialDelayMs: 1000, minDelayMs: 200, maxDelayMs: 60_000 };

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
    const { initialDelayMs, minDelayMs, maxDelayMs } = this.#times;
    if (this.#smoothedMs === undefined) return Math.min(initialDelayMs, maxDelayMs);
    const ms = this.#smoothedMs + Math.max(GRANULARITY_MS, 4 * this.#variationMs);
    return Math.min(Math.max(ms, minDelayMs), maxDelayMs);
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
