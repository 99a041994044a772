/** A clock that stands still until the test moves it, so that nothing sleeps. */

import type { Clock, Timer } from "../io/network/network.ts";

interface PendingTimer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * A {@link Clock} whose time is moved by the test. Timers that come due fire in order; after each one the event loop turns
 * once, so that what the timer has set in motion can go on. Turns of the event loop (`defer`) are real ones: give the
 * clock of the network that it stands in for.
 *
 * @example
 * ```ts
 * import { connect, nodeNetwork, serve } from "zocalo";
 * import { ManualClock } from "zocalo/testing";
 * const clock = new ManualClock(nodeNetwork.clock);
 * const network = { ...nodeNetwork, clock };
 * const server = await serve("tcp://127.0.0.1:0", (peer) => peer.read(), { network });
 * const call = await connect(server.localAddress);
 * await clock.advance(300_000); // five minutes of silence
 * console.log((await call.closed).how); // reset
 * await server.close();
 * ```
 */
export class ManualClock implements Clock {
  readonly #base: Pick<Clock, "defer">;
  readonly #timers: Set<PendingTimer> = new Set();
  #now = 0;

  /** A clock at 0 ms, whose turns of the event loop are those of `base`. */
  constructor(base: Pick<Clock, "defer">) {
    this.#base = base;
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds that it was moved since it was made. */
  now(): number {
    return this.#now;
  }

  /** Calls `callback` once, when the time was moved by `delayMs`. */
  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { dueMs: this.#now + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Calls `callback` at the end of this real turn of the event loop. */
  defer(callback: () => void): void {
    this.#base.defer(callback);
  }

  /**
   * Moves the time forward by `durationMs` milliseconds and fires what comes due. What is under way has a turn of the event
   * loop before, to set its timers.
   */
  async advance(durationMs: number): Promise<void> {
    await this.turn();
    const untilMs = this.#now + durationMs;
    for (let timer = this.#next(); timer !== undefined && timer.dueMs <= untilMs; timer = this.#next()) {
      await this.#fire(timer);
    }
    this.#now = untilMs;
    await this.turn();
  }

  /** Moves the time to the next timer and fires it; false when there is none. */
  async advanceToNext(): Promise<boolean> {
    const timer = this.#next();
    if (timer === undefined) return false;
    await this.#fire(timer);
    return true;
  }

  /** Resolves after one turn of the event loop, without moving the time. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#base.defer(resolve);
    });
  }

  /** Of two timers for one moment the one that was set first: a set keeps the order of its additions. */
  #next(): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.dueMs < first.dueMs) first = timer;
    }
    return first;
  }

  async #fire(timer: PendingTimer): Promise<void> {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.dueMs);
    timer.callback();
    await this.turn();
  }
}
