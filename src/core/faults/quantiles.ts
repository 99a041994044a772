/**
 * Quantiles of distributions as integers, so that no engine's `Math.log` decides what a seed means. Each table has 65
 * values for the probabilities 0/64 to 64/64, in units of 1/65536; the ends stand for 0.0005 and 0.9995.
 */

import type { RandomStream } from "./random-stream.ts";

/** What the values of a table are multiples of. */
export const QUANTILE_UNIT = 65_536;

/** The standard normal distribution. */
export const NORMAL: readonly number[] = [
  -215648, -141156, -122076, -109834, -100540, -92917, -86377, -80600, -75389, -70616, -66191, -62048, -58140, -54428,
  -50884, -47482, -44203, -41032, -37954, -34958, -32032, -29170, -26362, -23601, -20882, -18199, -15545, -12917,
  -10310, -7718, -5139, -2567, 0, 2567, 5139, 7718, 10310, 12917, 15545, 18199, 20882, 23601, 26362, 29170, 32032,
  34958, 37954, 41032, 44203, 47482, 50884, 54428, 58140, 62048, 66191, 70616, 75389, 80600, 86377, 92917, 100540,
  109834, 122076, 141156, 215648,
];

/** The exponential distribution with mean 1. */
export const EXPONENTIAL: readonly number[] = [
  0, 1032, 2081, 3146, 4230, 5331, 6451, 7591, 8751, 9932, 11135, 12360, 13608, 14880, 16178, 17502, 18854, 20233,
  21643, 23083, 24556, 26063, 27605, 29184, 30802, 32461, 34164, 35911, 37707, 39553, 41453, 43409, 45426, 47507, 49656,
  51877, 54177, 56561, 59034, 61604, 64280, 67069, 69982, 73031, 76228, 79590, 83133, 86879, 90852, 95082, 99603,
  104460, 109706, 115408, 121654, 128559, 136278, 145029, 155132, 167080, 181704, 200558, 227130, 272557, 498133,
];

/** A Pareto distribution (shape 1.5), moved to begin at 0: half of the values are below 0.6, one in a hundred is above 20. */
export const HEAVY_TAIL: readonly number[] = [
  0, 692, 1402, 2131, 2881, 3652, 4445, 5261, 6102, 6967, 7860, 8780, 9730, 10710, 11724, 12771, 13855, 14977, 16140,
  17346, 18597, 19896, 21247, 22652, 24116, 25642, 27235, 28899, 30640, 32463, 34375, 36384, 38496, 40721, 43070, 45552,
  48182, 50972, 53941, 57106, 60490, 64117, 68016, 72223, 76778, 81728, 87133, 93063, 99604, 106865, 114980, 124122,
  134517, 146465, 160373, 176811, 196608, 221015, 252029, 293072, 350592, 438567, 595025, 983040, 10337656,
];

const INDEX_SHIFT = 26;
const FRACTION_SHIFT = 10;
const FRACTION_MASK = 0xffff;

/** Draws a value of the distribution, between the values of its table in proportion. */
export function drawQuantile(table: readonly number[], stream: RandomStream): number {
  const draw = stream.uint32();
  const index = draw >>> INDEX_SHIFT;
  const low = table[index] as number;
  const high = table[index + 1] as number;
  return low + Math.floor(((high - low) * ((draw >>> FRACTION_SHIFT) & FRACTION_MASK)) / QUANTILE_UNIT);
}
