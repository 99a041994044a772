/** The clock of the proxies, as the browser knows it: each message says what time it was. */

/** Tells the time between messages. */
export class ServerClock {
  /** What is added to the browser's time. Messages are late and never early, so the largest one is the truest. */
  #shiftMs = Number.NEGATIVE_INFINITY;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  heard(serverMs: number): void {
    const shiftMs = serverMs - this.#now();
    // Two clocks drift; a little is forgotten with each message.
    this.#shiftMs = Math.max(shiftMs, this.#shiftMs - 0.01);
  }

  now(): number {
    return this.#now() + (this.#shiftMs === Number.NEGATIVE_INFINITY ? 0 : this.#shiftMs);
  }
}
