/** How much work a second a peer may cause: a bucket that fills with time. */

/** Counts work against a rate. A peer that is too fast is read more slowly; nothing is lost, and it is not punished. */
export class MessageRate {
  readonly #perSecond: number;
  /** As much may be caused at once after a second of silence; one message in any case. */
  readonly #capacity: number;
  #tokens: number;
  #at: number;
  /** Reading has stopped. */
  stopped = false;

  /** @param perSecond - Work a second, in messages. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#capacity = Math.max(1, perSecond);
    this.#tokens = this.#capacity;
    this.#at = now;
  }

  /** When reading may go on; Infinity while it has not stopped. */
  get goesOnAt(): number {
    if (!this.stopped) return Infinity;
    return this.#at + (Math.max(0, 1 - this.#tokens) / this.#perSecond) * 1000;
  }

  /** How much may be caused at `now`, in whole messages; at 0, reading stops until `goesOnAt`. */
  room(now: number): number {
    this.#tokens = Math.min(this.#capacity, this.#tokens + ((now - this.#at) * this.#perSecond) / 1000);
    this.#at = now;
    this.stopped = this.#tokens < 1;
    return Math.max(0, Math.floor(this.#tokens));
  }

  /** Counts work that was caused. More than a second's work is not owed: a single message may be dear. */
  spend(work: number): void {
    this.#tokens = Math.max(-this.#capacity, this.#tokens - work);
    this.stopped = this.#tokens < 1;
  }
}
