/** `zocalo sim run` and `zocalo sim check`: one seed, once or twice. */

import type { Command } from "commander";
import { explore } from "../../sim.ts";
import { EXIT } from "../terminal/exit-codes.ts";
import { leaveSignals } from "../terminal/interruption.ts";
import { type CommandContext, runCommand } from "../terminal/run-command.ts";
import { loadSimulation } from "./load-simulation.ts";
import { failedText, listText, passedText, simFailure } from "./report.ts";
import { addSeedFlags, newSimCommand, replayLine, runOf, type SimFlags } from "./sim-flags.ts";

const RUN = [
  "Runs the simulation once. The seed decides which faults there are, and everything else that the program does not. " +
    "A failure is told with its faults, and with the line that replays it.",
];
const CHECK = [
  "Runs the simulation twice with one seed, and compares everything that happens. At the first difference it shows both " +
    "sides: something decides the run that is not the seed.",
];

/** The command `run`. */
export function simRunCommand(): Command {
  const examples = ["zocalo sim run orders.mjs --seed 17", "zocalo sim run orders.mjs --faults orders.json"];
  const command = newSimCommand("run", "run one seed", RUN, examples);
  return addSeedFlags(command).action(async (file: string, flags: SimFlags) => {
    await runCommand({}, (context) => runOnce(file, flags, false, context));
  });
}

/** The command `check`. */
export function simCheckCommand(): Command {
  const command = newSimCommand("check", "run one seed twice and compare", CHECK, [
    "zocalo sim check orders.mjs --seed 17",
  ]);
  return addSeedFlags(command).action(async (file: string, flags: SimFlags) => {
    await runCommand({}, (context) => runOnce(file, flags, true, context));
  });
}

async function runOnce(file: string, flags: SimFlags, twice: boolean, { stdout }: CommandContext): Promise<number> {
  leaveSignals();
  const simulation = loadSimulation(file, flags.export);
  const result = await explore(simulation, { ...runOf(flags), twice });
  if (result.failure === undefined) {
    await stdout.write(`${passedText(result)}${twice ? "both runs are the same\n" : listText(result.list)}`);
    return EXIT.done;
  }
  // With a difference the failure itself says so.
  const same = twice && !result.failure.identity.startsWith("SIM_DIVERGED") ? "both runs are the same\n" : "";
  await stdout.write(failedText(result) + same);
  throw simFailure(result.failure.identity, replayLine(file, flags, result.seed));
}
