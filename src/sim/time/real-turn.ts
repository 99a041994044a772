/** The real event loop, for the scheduler alone. */

import { builtin } from "../guard/builtin.ts";

// Taken when the module loads, which is before any guard goes up.
const { setImmediate: realSetImmediate } = builtin("timers") as { setImmediate: (callback: () => void) => unknown };

/** Steps that are laid out at first, and at most: so many fit into one turn, then the code outside has its turn. */
const FIRST_STEPS = 4;
const MOST_STEPS = 1024;

/** Calls `callback` in the next turn of the real event loop, when all microtasks and ticks have run. */
export function nextRealTurn(callback: () => void): void {
  realSetImmediate(callback);
}

/**
 * Steps within a turn of the real event loop. Between two immediates a runtime runs all microtasks and ticks, and those
 * that these queue, until there are no more. So a row of immediates that were queued together is a row of moments at which
 * no task can run, and the cheapest that there is.
 */
export class RealSteps {
  readonly #callback: () => void;
  #wanted = false;
  /** Steps that are queued and have not come. */
  #ahead = 0;
  #rowLength = FIRST_STEPS;
  readonly #onImmediate: () => void = () => {
    this.#ahead -= 1;
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#callback();
  };

  /** `callback` is what a step does. */
  constructor(callback: () => void) {
    this.#callback = callback;
  }

  /** Does one step when all microtasks and ticks have run. */
  next(): void {
    this.#wanted = true;
    if (this.#ahead > 0) return;
    this.#ahead = this.#rowLength;
    for (let count = 0; count < this.#rowLength; count += 1) realSetImmediate(this.#onImmediate);
    // A short run does not pay for steps that it never takes.
    this.#rowLength = Math.min(MOST_STEPS, this.#rowLength * 2);
  }
}
