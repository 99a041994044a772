/** `zocalo sim hunt`: many seeds, on all cores. */

import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { ExplorationTotals } from "../../sim.ts";
import { EXIT, type Interrupted } from "../exit-codes.ts";
import { count, seed } from "../number-options.ts";
import { quantity } from "../quantity.ts";
import { type CommandContext, runCommand } from "../run-command.ts";
import { huntWithWorkers, type HuntRun } from "./hunt-workers.ts";
import { loadSimulation } from "./load-simulation.ts";
import { simFailure } from "./report.ts";
import { newSimCommand, replayLine } from "./sim-flags.ts";

interface HuntFlags {
  readonly export: string;
  readonly seeds: number;
  readonly from: number;
  readonly minutes?: number;
  readonly workers: number;
  readonly first?: boolean;
  readonly patience: number;
}

const DESCRIPTION = [
  "Runs the simulation with many seeds, in several threads. Each seed turns whole kinds of fault on or off and draws how bad " +
    "they are. Prints the first seeds of every kind of failure, and what all runs together have reached.",
  "Fails when a seed fails. Ctrl-C ends it with what it has found. A seed that hangs counts as one too.",
];
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
/** More threads than this gain little, and take the machine from everybody else. */
const MOST_WORKERS = 4;

/** The command. */
export function simHuntCommand(): Command {
  return newSimCommand("hunt", "look for seeds that fail", DESCRIPTION, [
    "zocalo sim hunt orders.mjs --seeds 10000",
    "zocalo sim hunt orders.mjs --seeds 1000000 --minutes 10",
    "zocalo sim hunt orders.mjs --first          end with the first failure",
  ])
    .option("--seeds <n>", "how many seeds", count, 1000)
    .option("--from <seed>", "the first seed", seed, 1)
    .option("--minutes <m>", "end after so many minutes of real time", count)
    .option("--workers <n>", "threads", count, Math.min(MOST_WORKERS, availableParallelism()))
    .option("--first", "end with the first failure")
    .option("--patience <s>", "seconds of real time after which a seed counts as one that hangs", count, 60)
    .action(async (file: string, flags: HuntFlags) => {
      await runCommand({}, (context) => hunt(file, flags, context));
    });
}

async function hunt(file: string, flags: HuntFlags, context: CommandContext): Promise<number> {
  const { output, stdout } = context;
  // What cannot be loaded is told before there are threads.
  loadSimulation(file, flags.export);
  const totals = new ExplorationTotals();
  const failing: HuntRun[] = [];
  const known = new Set<string>();
  const failed = (run: HuntRun, identity: string): boolean => {
    failing.push(run);
    if (!known.has(identity)) {
      known.add(identity);
      output.say({ event: "failure", seed: run.seed, identity }, `seed ${run.seed}: ${identity}`);
    }
    return flags.first === true;
  };
  const limit = new AbortController();
  const timer = flags.minutes === undefined ? undefined : setTimeout(() => limit.abort(), flags.minutes * MINUTE_MS);
  await huntWithWorkers({
    task: { file, exportName: flags.export },
    firstSeed: flags.from,
    seeds: flags.seeds,
    workers: flags.workers,
    seedTimeoutMs: flags.patience * SECOND_MS,
    stop: AbortSignal.any([limit.signal, context.stop]),
    onRun: (run) => {
      totals.add(run);
      return run.failure !== undefined && failed(run, run.failure.identity);
    },
    onHang: (hanging) => {
      const { list, coverage } = { list: emptyList(hanging), coverage: {} };
      const run = { seed: hanging, list, coverage, failure: { identity: "HANG" } };
      totals.add(run);
      failed(run, "HANG");
    },
  });
  clearTimeout(timer);
  await stdout.write(`${reportText(file, flags, totals, failing)}\n`);
  if (context.stop.aborted) throw context.stop.reason as Interrupted;
  const [first] = failing.sort((a, b) => a.seed - b.seed);
  if (first?.failure === undefined) return EXIT.done;
  throw simFailure(first.failure.identity, replayLine(file, flags, first.seed));
}

function emptyList(seedNumber: number): HuntRun["list"] {
  const choices = { cutReads: true, permute: false, latency: 1 };
  return { format: 1, simulation: "", seed: seedNumber, chaosMs: 0, choices, faults: [] };
}

/** The totals, and the first seeds of each kind of failure. */
function reportText(file: string, flags: HuntFlags, totals: ExplorationTotals, failing: readonly HuntRun[]): string {
  const groups = totals.failures.map(({ identity, runs }) => {
    const seeds = failing.filter(({ failure }) => failure?.identity === identity).map((run) => run.seed);
    const first = seeds.sort((a, b) => a - b).slice(0, 5);
    return `\n${identity}: ${quantity(runs, "run")}\n${first.map((one) => `  ${replayLine(file, flags, one)}`).join("\n")}`;
  });
  return `${totals.text()}${groups.join("\n")}`;
}
