/** Numbers on the command line. */

import { InvalidArgumentError } from "commander";

/** Timers of the system take no more: 24.8 days. */
const MAX_MS = 2_147_483_647;

/** Whole milliseconds, from 0 on. */
export function milliseconds(text: string): number {
  return wholeNumber(text, 0, MAX_MS, "a number of milliseconds");
}

/** How often: a whole number, from 1 on. */
export function count(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER, "a number");
}

/** How many of what takes memory or threads: a whole number, from 1 to `most`. */
export function countUpTo(most: number): (text: string) => number {
  return (text) => wholeNumber(text, 1, most, "a number");
}

/** Whole units of `unitMs` milliseconds, from 1 on, as long as timers of the system can be. */
export function units(unitMs: number): (text: string) => number {
  return countUpTo(Math.floor(MAX_MS / unitMs));
}

/** A seed: a whole number, from 0 on. */
export function seed(text: string): number {
  return wholeNumber(text, 0, Number.MAX_SAFE_INTEGER, "a number");
}

function wholeNumber(text: string, least: number, most: number, what: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`Give ${what} from ${least} to ${most}.`);
}
