/**
 * Hunts: each planted mistake must be found within `SOAK_SEEDS` (1000) seeds and shrink to at most three faults, and the
 * corrected programs must pass with all of them, one in ten run twice.
 */

import { explore, type FaultList, type Simulation, shrink } from "zocalo/sim";
import { PLANTED } from "../fixtures/planted.ts";
import { conclude, countOf, watchForEscapes } from "./outcome.ts";

const seeds = countOf("SOAK_SEEDS", 1000);
const CHECK_ONE_IN = 10;
const MOST_FAULTS = 3;
const problems: string[] = [];
watchForEscapes(problems);

/** The first seed that fails, as the list of its faults. */
async function firstFailure(simulation: Simulation): Promise<FaultList | undefined> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { failure, list } = await explore(simulation, { seed });
    if (failure !== undefined) return list;
  }
  return undefined;
}

async function find(simulation: Simulation): Promise<string> {
  const found = await firstFailure(simulation);
  if (found === undefined) return `not found within ${seeds} seeds`;
  const { list, runs } = await shrink(simulation, found);
  const text = `seed ${found.seed}, ${found.faults.length} faults shrunk to ${list.faults.length} in ${runs} runs`;
  if (list.faults.length > MOST_FAULTS) problems.push(`${simulation.options.name}: ${text}`);
  return text;
}

async function pass(simulation: Simulation): Promise<void> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { failure } = await explore(simulation, { seed, twice: seed % CHECK_ONE_IN === 0 });
    if (failure !== undefined)
      problems.push(`${simulation.options.name}, corrected, seed ${seed}: ${failure.identity}`);
  }
}

for (const { simulation, fixed } of PLANTED) {
  const text = await find(simulation);
  console.log(`${simulation.options.name}: ${text}`);
  if (text.startsWith("not found")) problems.push(`${simulation.options.name}: ${text}`);
  await pass(fixed);
}
conclude("hunts", problems);
