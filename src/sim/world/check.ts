/** Running a program twice, to see that the seed decides everything. */

import { ZocaloError } from "../../core/errors.ts";
import { Run } from "./simulate.ts";
import type { SimulateOptions, SimulationReport, World } from "./world-contract.ts";

/** Lines before a difference that its report shows. */
const CONTEXT_LINES = 5;

/**
 * Runs `main` twice with the same options, and stops the second run at the first difference. Resolves and rejects as
 * `simulate` does with the first run, and rejects with `SIM_DIVERGED` when the runs differ; the detail shows the last lines
 * of the trace that they have in common, and both sides of the difference. `options.trace` and `options.capture` receive the
 * first run. `main` runs twice, so what it keeps outside of itself must not change what it does.
 *
 * @example
 * ```ts
 * import { check } from "zocalo/sim";
 * let calls = 0;
 * try {
 *   await check({ seed: 1 }, async (world) => {
 *     calls += 1; // state that the seed does not decide
 *     await world.sleep(calls);
 *     world.host("a").crash();
 *   });
 * } catch (error) {
 *   console.log((error as { code: string }).code); // SIM_DIVERGED
 * }
 * ```
 */
export async function check<T>(
  options: SimulateOptions,
  main: (world: World) => Promise<T>,
): Promise<SimulationReport<T>> {
  return await runTwice((sinks) => new Run({ ...options, ...sinks }), options, main);
}

/** What receives a run while it happens. */
export type RunSinks = Pick<SimulateOptions, "trace" | "capture">;

/** Runs what `begin` makes twice; `sinks` receive the first run. */
export async function runTwice<T>(
  begin: (sinks: RunSinks) => Run,
  { trace, capture }: RunSinks,
  main: (world: World) => Promise<T>,
): Promise<SimulationReport<T>> {
  const expected: string[] = [];
  const keep = (line: string): void => {
    expected.push(line);
    trace?.(line);
  };
  const first = begin({ trace: keep, capture });
  const [outcome] = await Promise.allSettled([first.execute(main)]);
  let second: Run | undefined = undefined;
  let difference: ZocaloError | undefined;
  let index = 0;
  // Without a line when the second run is over and the first one had more.
  const compare = (line?: string): void => {
    if (difference !== undefined) return;
    if (line !== expected[index]) difference = divergence(expected, index, line);
    else index += 1;
    if (difference !== undefined) second?.fail(difference);
  };
  second = begin({ trace: compare, capture: undefined });
  await Promise.allSettled([second.execute(main)]);
  if (index < expected.length) compare();
  if (difference !== undefined) throw difference;
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}

function divergence(expected: readonly string[], index: number, line: string | undefined): ZocaloError {
  const shared = expected.slice(Math.max(0, index - CONTEXT_LINES), index);
  const side = (text: string | undefined): string => text ?? "(the run was over)\n";
  const lines = [...shared, `first run:  ${side(expected[index])}`, `second run: ${side(line)}`];
  // The first line is the header.
  const header = JSON.parse(expected[0] ?? "{}") as { readonly seed?: number };
  const detail = `two runs with seed ${header.seed} differ from line ${index + 1} of the trace on:\n${lines.join("")}`;
  return new ZocaloError("SIM_DIVERGED", { op: "check", detail: detail.trimEnd() });
}
