/** A clock whose timers are exact to parts of a millisecond, as long as few wait. */

import type { Clock, Timer } from "../network/network.ts";

/** A timer of an event loop counts whole milliseconds: it fires up to one before its time, or up to one after it. */
const INEXACT_MS = 1;
/** For each millisecond in which it looks turn by turn, so many follow in which it does not: half a processor at most. */
const RESTS = 1;

/**
 * It has the timers of the event loop fire a little before the time, and looks at the time in each turn for the rest. One timer at
 * a time does so, and not all the time; the others are as exact as those of the event loop, and so are all where turns take no
 * time, as in a simulated network.
 */
export class FineClock implements Clock {
  readonly #base: Clock;
  #looking = false;
  #restsUntilMs = -Infinity;

  constructor(base: Clock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now();
  }

  defer(callback: () => void): void {
    this.#base.defer(callback);
  }

  /** A timer in the background need not be exact. */
  setTimer(callback: () => void, delayMs: number, background: boolean = false): Timer {
    if (background) return this.#base.setTimer(callback, delayMs, true);
    const dueMs = this.now() + delayMs;
    let timer: Timer;
    const wait = (): void => {
      const restMs = wholeNanoseconds(dueMs - this.now());
      if (restMs <= 0) callback();
      else if (this.#looking || this.now() < this.#restsUntilMs) timer = this.#base.setTimer(wait, restMs);
      else timer = this.#look(callback, dueMs);
    };
    timer = this.#base.setTimer(wait, Math.max(0, delayMs - INEXACT_MS));
    return { cancel: () => timer.cancel() };
  }

  /** Looks at the time in each turn of the event loop. */
  #look(callback: () => void, dueMs: number): Timer {
    const beganMs = this.now();
    let over = false;
    let timer: Timer | undefined;
    const cancel = (): void => {
      timer?.cancel();
      if (over) return;
      over = true;
      this.#looking = false;
      this.#restsUntilMs = this.now() + RESTS * (this.now() - beganMs);
    };
    const turn = (): void => {
      if (over) return;
      const nowMs = this.now();
      if (nowMs > beganMs && nowMs < dueMs) return this.#base.defer(turn);
      cancel();
      if (nowMs >= dueMs) callback();
      else timer = this.#base.setTimer(callback, wholeNanoseconds(dueMs - nowMs));
    };
    this.#looking = true;
    this.#base.defer(turn);
    return { cancel };
  }
}

/** Without the error of a difference, which a clock of whole microseconds would take for one more. */
function wholeNanoseconds(ms: number): number {
  return Math.round(ms * 1e6) / 1e6;
}
