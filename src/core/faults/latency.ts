/** How long a packet is under way. */

import { ANYTHING, checkOptions, oneOf, type OptionRules, refuseUnknown, shown } from "../options/check-options.ts";
import { UsageError } from "../errors.ts";
import { drawQuantile, EXPONENTIAL, HEAVY_TAIL, NORMAL, QUANTILE_UNIT } from "./quantiles.ts";
import type { RandomStream } from "./random-stream.ts";

/**
 * One-way delay in milliseconds: a constant, or a distribution.
 *
 * - `uniform`: each value between `fromMs` and `toMs` is as likely as any other.
 * - `normal`: around `meanMs`, two thirds within `deviationMs` of it; never negative.
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
}

/** What each distribution has; the durations are looked at one by one. */
const SHAPES: Readonly<Record<string, OptionRules>> = {
  uniform: { kind: ANYTHING, fromMs: ANYTHING, toMs: ANYTHING },
  normal: { kind: ANYTHING, meanMs: ANYTHING, deviationMs: ANYTHING },
  exponential: { kind: ANYTHING, baseMs: ANYTHING, meanMs: ANYTHING },
  "heavy-tail": { kind: ANYTHING, baseMs: ANYTHING, scaleMs: ANYTHING },
};
const KIND = { ...oneOf(...Object.keys(SHAPES)), required: true };

/** Reads a latency; throws `OPTION_INVALID` for values that are negative or no numbers. */
export function latencyTable(latency: Latency, op: string): LatencyTable {
  if (typeof latency === "number") return { baseUs: microseconds(latency, op), spreadUs: 0, shape: "constant" };
  const { kind: shape } = latency ?? {};
  checkOptions({ op }, { kind: shape }, { kind: KIND }, "latency.");
  refuseUnknown({ op }, latency, SHAPES[shape] as OptionRules, "latency.");
  switch (latency.kind) {
    case "uniform": {
      const baseUs = microseconds(latency.fromMs, op);
      return { baseUs, spreadUs: Math.max(0, microseconds(latency.toMs, op) - baseUs), shape };
    }
    case "normal":
      return { baseUs: microseconds(latency.meanMs, op), spreadUs: microseconds(latency.deviationMs, op), shape };
    case "exponential":
      return { baseUs: microseconds(latency.baseMs, op), spreadUs: microseconds(latency.meanMs, op), shape };
    default:
      return { baseUs: microseconds(latency.baseMs, op), spreadUs: microseconds(latency.scaleMs, op), shape };
  }
}

/** Draws one delay in microseconds. A constant draws nothing. */
export function drawLatencyUs({ baseUs, spreadUs, shape }: LatencyTable, stream: RandomStream): number {
  switch (shape) {
    case "constant":
      return baseUs;
    case "uniform":
      return baseUs + stream.below(spreadUs + 1);
    case "normal":
      return Math.max(0, baseUs + scaled(drawQuantile(NORMAL, stream), spreadUs));
    case "exponential":
      return baseUs + scaled(drawQuantile(EXPONENTIAL, stream), spreadUs);
    default:
      return baseUs + scaled(drawQuantile(HEAVY_TAIL, stream), spreadUs);
  }
}

function scaled(value: number, spreadUs: number): number {
  return Math.floor((value * spreadUs) / QUANTILE_UNIT);
}

/** Milliseconds as whole microseconds; throws `OPTION_INVALID` when they are negative, endless or no number. */
export function microseconds(valueMs: number, op: string): number {
  if (Number.isFinite(valueMs) && valueMs >= 0) return Math.round(valueMs * 1000);
  const detail = `a duration must be a number of milliseconds from 0 on, not ${shown(valueMs)}`;
  throw new UsageError("OPTION_INVALID", { op, detail });
}
