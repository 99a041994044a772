/** The real event loop, for the scheduler alone. */

import { builtin } from "../guard/guarded-calls.ts";

// Taken when the module loads, which is before any guard goes up.
const { setImmediate: realSetImmediate } = builtin("timers") as { setImmediate: (callback: () => void) => unknown };

/** Calls `callback` in the next turn of the real event loop, when all microtasks and ticks have run. */
export function nextRealTurn(callback: () => void): void {
  realSetImmediate(callback);
}
