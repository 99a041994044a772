/** Faults are planned in microseconds; clocks, options and events have milliseconds. */

/** Microseconds of a millisecond. */
export const MICROSECONDS = 1000;

/** A time to a microsecond, as people read it. */
export function roundedMs(ms: number): number {
  return Math.round(ms * MICROSECONDS) / MICROSECONDS;
}
