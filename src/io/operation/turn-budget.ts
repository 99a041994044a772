/** Work that is done message by message, and must leave others their turn. */

import type { Clock } from "../network/network.ts";

/**
 * Messages, skipped ones included, after which others have their turn: 64 KiB can be 65,536 of them. As many as there are of
 * 30 bytes in 64 KiB, and less than a millisecond of work for whoever takes them.
 */
export const TURN_MESSAGES = 2048;

/** What a message that somebody awaits by itself counts: its promise costs more than the rest of its way. */
export const AWAITED_MESSAGE = 8;

/** Counts the messages of one worker. */
export class TurnBudget {
  readonly #clock: Clock;
  readonly #goOn: () => void;
  #left: number = TURN_MESSAGES;
  /** Whether nothing more may be worked on before the next turn of the event loop. */
  isOver = false;

  /** @param goOn - Called in the next turn of the event loop, behind what was awaited in this one. */
  constructor(clock: Clock, goOn: () => void) {
    this.#clock = clock;
    this.#goOn = goOn;
  }

  /** Whether one more message may be worked on now. */
  spend(): boolean {
    if (this.isOver) return false;
    this.#left -= 1;
    if (this.#left >= 0) return true;
    this.end();
    return false;
  }

  /** Leaves the rest to the next turn. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#clock.defer(() => {
      this.isOver = false;
      this.#left = TURN_MESSAGES;
      this.#goOn();
    });
  }
}
