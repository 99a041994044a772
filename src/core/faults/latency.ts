/** How long a packet is under way. */

import {
  ANYTHING,
  checkOptions,
  MILLISECONDS,
  oneOf,
  optionInvalid,
  refuseUnknown,
  shown,
} from "../options/check-options.ts";
import type { RandomStream } from "./random-stream.ts";

/**
 * One-way delay in milliseconds: a constant, or a distribution.
 *
 * - `uniform`: each value between `fromMs` and `toMs` is as likely as any other.
 * - `normal`: around `meanMs`, two thirds within `deviationMs` of it; never negative, so that with a deviation above the mean
 *   many have no delay at all.
 * - `exponential`: `baseMs` and on top of it `meanMs` on average, sometimes much more.
 * - `heavy-tail`: as `exponential`, with `scaleMs`, and one packet in a hundred more than 20 times as late.
 */
export type Latency =
  | number
  | { readonly kind: "uniform"; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: "normal"; readonly meanMs: number; readonly deviationMs: number }
  | { readonly kind: "exponential"; readonly baseMs: number; readonly meanMs: number }
  | { readonly kind: "heavy-tail"; readonly baseMs: number; readonly scaleMs: number };

/** A latency in integers: `baseUs`, and a share of `spreadUs` by a table. */
export interface LatencyTable {
  readonly baseUs: number;
  readonly spreadUs: number;
  readonly shape: "constant" | "uniform" | "normal" | "exponential" | "heavy-tail";
  /** Drawn as well, and added. */
  readonly and?: LatencyTable | undefined;
}

/** The two durations of each distribution: of all packets, and what it spreads. */
const SHAPES: Readonly<Record<string, readonly [base: string, spread: string]>> = {
  uniform: ["fromMs", "toMs"],
  normal: ["meanMs", "deviationMs"],
  exponential: ["baseMs", "meanMs"],
  "heavy-tail": ["baseMs", "scaleMs"],
};
const KIND = { ...oneOf(...Object.keys(SHAPES)), required: true };

/** Reads a latency; throws `OPTION_INVALID` for values that are negative, no numbers, or in the wrong order; `name` is its name there. */
export function latencyTable(latency: Latency, op: string, name = "latency"): LatencyTable {
  // What is no object is meant as a number.
  if (typeof latency !== "object" || latency === null) {
    return { baseUs: delayUs(latency, op, name), spreadUs: 0, shape: "constant" };
  }
  const { kind: shape } = latency;
  checkOptions({ op }, { kind: shape }, { kind: KIND }, `${name}.`);
  const [base, spread] = SHAPES[shape] as readonly [string, string];
  refuseUnknown({ op }, latency, { kind: ANYTHING, [base]: ANYTHING, [spread]: ANYTHING }, `${name}.`);
  const durations = latency as unknown as Readonly<Record<string, number>>;
  const baseUs = delayUs(durations[base] as number, op, `${name}.${base}`);
  const spreadUs = delayUs(durations[spread] as number, op, `${name}.${spread}`);
  if (shape !== "uniform") return { baseUs, spreadUs, shape };
  if (spreadUs >= baseUs) return { baseUs, spreadUs: spreadUs - baseUs, shape };
  throw optionInvalid(
    { op },
    `${name}.toMs (${durations[spread]}) must not be below ${name}.fromMs (${durations[base]})`,
  );
}

/** One latency behind another. */
export function addLatency(before: LatencyTable, more: LatencyTable): LatencyTable {
  if (before.shape !== "constant" || before.and !== undefined) return { ...more, and: before };
  if (more.shape === "constant") return { ...more, baseUs: before.baseUs + more.baseUs };
  return before.baseUs === 0 ? more : { ...more, and: before };
}

/** Draws one delay in microseconds. A constant draws nothing. */
export function drawLatencyUs(table: LatencyTable, stream: RandomStream): number {
  const ownUs = drawOneUs(table, stream);
  return table.and === undefined ? ownUs : ownUs + drawLatencyUs(table.and, stream);
}

function drawOneUs({ baseUs, spreadUs, shape }: LatencyTable, stream: RandomStream): number {
  if (shape === "constant") return baseUs;
  if (shape === "uniform") return baseUs + stream.below(spreadUs + 1);
  const share = drawQuantile(QUANTILES[shape], stream) * spreadUs;
  return Math.max(0, baseUs + Math.floor(share / QUANTILE_UNIT));
}

/** A delay in whole microseconds. */
function delayUs(valueMs: number, op: string, name: string): number {
  if (MILLISECONDS.holds(valueMs)) return microseconds(valueMs, op);
  throw optionInvalid({ op }, `${name} must be ${MILLISECONDS.wanted}, not ${shown(valueMs)}`);
}

/** Milliseconds as whole microseconds; throws `OPTION_INVALID` when they are negative, endless or no number. */
export function microseconds(valueMs: number, op: string): number {
  if (Number.isFinite(valueMs) && valueMs >= 0) return Math.round(valueMs * 1000);
  throw optionInvalid({ op }, `a duration must be a number of milliseconds from 0 on, not ${shown(valueMs)}`);
}

/** What the values of a table are multiples of. */
const QUANTILE_UNIT = 65_536;

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

const QUANTILES = { normal: NORMAL, exponential: EXPONENTIAL, "heavy-tail": HEAVY_TAIL } as const;

const INDEX_SHIFT = 26;
const FRACTION_SHIFT = 10;
const FRACTION_MASK = 0xffff;

/** Draws a value of the distribution, between the values of its table in proportion. */
function drawQuantile(table: readonly number[], stream: RandomStream): number {
  const draw = stream.uint32();
  const index = draw >>> INDEX_SHIFT;
  const low = table[index] as number;
  const high = table[index + 1] as number;
  return low + Math.floor(((high - low) * ((draw >>> FRACTION_SHIFT) & FRACTION_MASK)) / QUANTILE_UNIT);
}
