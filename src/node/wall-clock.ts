/** The time of day. */

/** Milliseconds since 1970, as the system has it: it may be set. For what outlives the process; all else takes the network's clock. */
export function wallTime(): number {
  return Date.now();
}
