/** The retransmission time-out (RFC 6298), in whole microseconds. */

const INITIAL_RTO_US = 1_000_000;
/** Section 2.3: the gains 1/8 and 1/4, as shifts, so that nothing is rounded differently anywhere. */
const GAIN_SHIFT = 3;
const DEVIATION_SHIFT = 2;
const MICROSECONDS = 1000;

/** Estimates how long an acknowledgement takes, and backs off while none comes. */
export class RetransmissionTimeout {
  readonly #minUs: number;
  readonly #maxUs: number;
  #smoothedUs = 0;
  #deviationUs = 0;
  #baseUs = INITIAL_RTO_US;
  /** How often it has expired in a row. */
  expiries = 0;

  constructor(minMs: number, maxMs: number) {
    this.#minUs = minMs * MICROSECONDS;
    this.#maxUs = maxMs * MICROSECONDS;
  }

  /** The present time-out: doubled for each expiry in a row (section 5.5). */
  get currentUs(): number {
    return Math.min(this.#maxUs, this.#baseUs * 2 ** this.expiries);
  }

  /** A segment that was sent once was acknowledged after `roundTripUs` (section 3: Karn's algorithm). */
  sample(roundTripUs: number): void {
    if (this.#smoothedUs === 0) {
      this.#smoothedUs = roundTripUs;
      this.#deviationUs = roundTripUs >> 1;
    } else {
      const error = roundTripUs - this.#smoothedUs;
      this.#deviationUs += (Math.abs(error) - this.#deviationUs) >> DEVIATION_SHIFT;
      this.#smoothedUs += error >> GAIN_SHIFT;
    }
    const spreadUs = Math.max(this.#minUs, this.#deviationUs << DEVIATION_SHIFT);
    this.#baseUs = Math.min(this.#maxUs, this.#smoothedUs + spreadUs);
  }

  /** It expired. */
  expire(): void {
    this.expiries += 1;
  }

  /** The peer answers again. */
  reset(): void {
    this.expiries = 0;
  }
}
