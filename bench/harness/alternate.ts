/** Rounds in turns, so that a machine whose speed drifts treats all alike. */

import type { Figures } from "./processes.ts";

/** How many rounds are counted. */
export const ROUNDS: number = Number(process.env["ROUNDS"] ?? 7);

/** What each variant answered, round by round. */
export type Series = Record<string, Figures[]>;

/**
 * Runs the variants in turns, in the opposite order every other round, and gathers what they answer.
 *
 * @param warmUps - Rounds before them that are not counted. Bytes that a process holds need none.
 */
export async function alternate(
  variants: Record<string, () => Promise<Figures>>,
  rounds: number = ROUNDS,
  warmUps = 1,
): Promise<Series> {
  const series: Series = {};
  const names = Object.keys(variants);
  for (let round = -warmUps; round < rounds; round += 1) {
    const order = round % 2 === 0 ? names : [...names].reverse();
    for (const name of order) {
      const figures = await (variants[name] as () => Promise<Figures>)();
      if (round >= 0) (series[name] ??= []).push(figures);
    }
  }
  return series;
}

/** One figure of one variant, round by round. */
export function pick(series: Series, name: string, figure: string): number[] {
  return (series[name] ?? []).map((figures) => figures[figure] ?? Number.NaN);
}
