/** How many messages a second a peer may send: a bucket that fills with time. */

/** Counts messages against a rate. A peer that is too fast is read more slowly; nothing is lost, and it is not punished. */
export class MessageRate {
  readonly #perSecond: number;
  #tokens: number;
  #at: number;
  /** Reading has stopped. */
  stopped = false;

  /** @param perSecond - Messages a second; as many may come at once after a second of silence. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#at = now;
  }

  /** When reading may go on; Infinity while it has not stopped. */
  get goesOnAt(): number {
    if (!this.stopped) return Infinity;
    return this.#at + Math.max(0, -this.#tokens / this.#perSecond) * 1000;
  }

  /** Counts messages that came; false when reading must stop until `goesOnAt`. */
  count(messages: number): boolean {
    this.#tokens -= messages;
    this.stopped = this.#tokens <= 0;
    return !this.stopped;
  }

  /** Whether there is room for messages at `now`. */
  mayGoOn(now: number): boolean {
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#at) * this.#perSecond) / 1000);
    this.#at = now;
    this.stopped = this.#tokens < 0;
    return !this.stopped;
  }
}
