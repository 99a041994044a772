/** The machine's clock and randomness. */

import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Clock, Random, Timer } from "../io/network/network.ts";

/** Node refuses longer delays: 2^31 - 1 milliseconds, 24.8 days. */
const LONGEST_DELAY_MS = 2_147_483_647;

class NodeTimer implements Timer {
  #handle: ReturnType<typeof setTimeout>;

  constructor(callback: () => void, delayMs: number, background: boolean) {
    this.#handle = this.#arm(callback, delayMs, background);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #arm(callback: () => void, delayMs: number, background: boolean): ReturnType<typeof setTimeout> {
    const rest = delayMs - LONGEST_DELAY_MS;
    const handle =
      rest > 0
        ? setTimeout(() => {
            this.#handle = this.#arm(callback, rest, background);
          }, LONGEST_DELAY_MS)
        : setTimeout(callback, delayMs);
    if (background) handle.unref();
    return handle;
  }
}

/** Monotonic time and the timers of the event loop. */
export const nodeClock: Clock = {
  now: () => performance.now(),
  setTimer: (callback, delayMs, background = false) => new NodeTimer(callback, delayMs, background),
  defer: (callback) => {
    setImmediate(callback);
  },
};

/** The machine's randomness. */
export const nodeRandom: Random = {
  next: () => Math.random(),
  bytes: (count) => randomBytes(count),
};
