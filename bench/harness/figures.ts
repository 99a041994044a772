/** Medians, ratios and how they are shown. */

/** The middle of the values; the lower one of two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** The value below which a share of the sorted values lies. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** What a figure must reach, or stay under. */
interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One comparison: the same work by two programs, in turns. */
export interface Comparison {
  readonly name: string;
  /** Figures of each round, subject and baseline in the same order. */
  readonly subject: readonly number[];
  readonly baseline: readonly number[];
  /** What the ratio must reach (`>= 0.95`) or stay under (`<= 1.1`); missing for figures that are only shown. */
  readonly target?: Target | undefined;
  readonly unit: string;
}

/** Prints one comparison as a line: the median of the ratios round by round, and the medians of both sides. */
export function show(comparison: Comparison): void {
  const { name, subject, baseline, target, unit } = comparison;
  const ratios = subject.map((value, round) => value / (baseline[round] ?? Number.NaN));
  const ratio = median(ratios);
  const low = Math.min(...ratios).toFixed(2);
  const high = Math.max(...ratios).toFixed(2);
  const sides = `${number(median(subject))} against ${number(median(baseline))} ${unit}`;
  console.log(`${name.padEnd(46)} ${ratio.toFixed(3)}x (${low} to ${high})  ${sides}${verdict(ratio, target)}`);
}

/** One figure, round by round, that has a bar of its own. */
export interface Bar {
  readonly name: string;
  readonly values: readonly number[];
  readonly target?: Target | undefined;
  readonly unit: string;
}

/** Prints a figure as a line: the median of the rounds, and the bar. */
export function showBar({ name, values, target, unit }: Bar): void {
  const middle = median(values);
  const range = `(${number(Math.min(...values))} to ${number(Math.max(...values))})`;
  console.log(`${name.padEnd(46)} ${number(middle)} ${unit} ${range}${verdict(middle, target)}`);
}

function verdict(value: number, target: Target | undefined): string {
  if (target === undefined) return "";
  const wanted = target.atLeast === undefined ? `<= ${target.atMost}` : `>= ${target.atLeast}`;
  const met =
    value >= (target.atLeast ?? Number.NEGATIVE_INFINITY) && value <= (target.atMost ?? Number.POSITIVE_INFINITY);
  return `  wanted ${wanted}: ${met ? "met" : "MISSED"}`;
}

function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}
