/** What a session tells before it reads on. */

import type { SessionEvent } from "./event.ts";

/**
 * Events in the order in which they happened. At the end of a session there is one for each message that is lost, and the bounds
 * of these are options: they may be more than a call takes as arguments, or than an array moves down one by one.
 */
export class ToldEvents {
  readonly #events: SessionEvent[] = [];
  /** So many of them are taken. */
  #taken = 0;

  /** Whether all are taken. */
  get isEmpty(): boolean {
    return this.#taken === this.#events.length;
  }

  add(event: SessionEvent): void {
    this.#events.push(event);
  }

  /** The oldest event that was not taken. */
  take(): SessionEvent | undefined {
    const event = this.#events[this.#taken];
    if (event !== undefined) this.#taken += 1;
    return event;
  }
}
