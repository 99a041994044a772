/** `zocalo sim shrink`: a failure with as few faults as possible. */

import type { Command } from "commander";
import { explore, formatFaultList, shrink } from "../../sim.ts";
import { CommandFailure, EXIT } from "../terminal/exit-codes.ts";
import { count } from "../terminal/number-options.ts";
import { leaveSignals } from "../terminal/interruption.ts";
import { quantity } from "../terminal/quantity.ts";
import { type CommandContext, runCommand } from "../terminal/run-command.ts";
import { loadSimulation } from "./load-simulation.ts";
import { listText } from "./report.ts";
import { addSeedFlags, newSimCommand, replayLine, runOf, type SimFlags } from "./sim-flags.ts";
import { writeResult } from "./write-result.ts";

interface ShrinkFlags extends SimFlags {
  readonly out?: string;
  readonly runs: number;
}

const DESCRIPTION = [
  "Runs a seed that fails, and again with fewer and weaker faults, as long as it fails in the same way. Prints what is left; " +
    "with --out it becomes a list of faults that `zocalo sim run FILE --faults LIST` replays, in every later version too.",
];

/** The command. */
export function simShrinkCommand(): Command {
  const examples = ["zocalo sim shrink orders.mjs --seed 17 --out orders.json"];
  const command = newSimCommand("shrink", "make a failure small", DESCRIPTION, examples)
    .option("--out <list>", "write the list of faults to a file")
    .option("--runs <n>", "most runs", count, 1000);
  return addSeedFlags(command).action(async (file: string, flags: ShrinkFlags) => {
    await runCommand({}, (context) => shrinkOne(file, flags, context));
  });
}

async function shrinkOne(file: string, flags: ShrinkFlags, { stdout, output }: CommandContext): Promise<number> {
  leaveSignals();
  const simulation = loadSimulation(file, flags.export);
  const { failure, list } = await explore(simulation, runOf(flags));
  if (failure === undefined) {
    throw new CommandFailure("SIM_PASSED", `seed ${list.seed} does not fail; there is nothing to shrink`);
  }
  output.say(
    { event: "failure", identity: failure.identity },
    `${quantity(list.faults.length, "fault")}: ${failure.identity}`,
  );
  const report = await shrink(simulation, list, { mostRuns: flags.runs });
  await stdout.write(`${failure.identity}\n${listText(report.list)}`);
  const unfinished = report.finished ? "" : "; there may be a smaller one, see --runs";
  output.say({ event: "shrunk", runs: report.runs }, `after ${quantity(report.runs, "run")}${unfinished}`);
  if (flags.out === undefined) return EXIT.done;
  await writeResult("--out", flags.out, [formatFaultList(report.list)]);
  const replay = replayLine(file, { export: flags.export, faults: flags.out }, list.seed);
  output.say({ event: "written", file: flags.out }, `replay: ${replay}`);
  return EXIT.done;
}
