/** `zocalo sim hunt`: many seeds, on all cores. */

import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { ExplorationTotals } from "../../sim.ts";
import { EXIT, type Interrupted, wrongUsage } from "../terminal/exit-codes.ts";
import { count, countUpTo, seed, units } from "../terminal/command.ts";
import { inLanguage } from "../terminal/language.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { quantity } from "../terminal/visible-text.ts";
import { type HuntRun, huntWithWorkers } from "./hunt-workers.ts";
import { holdAllBack } from "./program-output.ts";
import { simFailure } from "./report.ts";
import { loadSimulation, newSimCommand, replayLine } from "./sim-flags.ts";

interface HuntFlags {
  readonly export: string;
  readonly seeds: number;
  readonly from: number;
  readonly minutes?: number;
  readonly workers: number;
  readonly first?: boolean;
  readonly patience: number;
}

/** The lowest seeds of each kind of failure. */
type FailingSeeds = Map<string, readonly number[]>;

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "look for seeds that fail",
      paragraphs: [
        "Runs the simulation with many seeds, in several threads. Each seed turns whole kinds of fault on or off and draws " +
          "how bad they are. Prints the first seeds of every kind of failure, and what all runs together have reached.",
        "Fails when a seed fails or hangs. Ctrl-C ends it with what it has found.",
      ],
      examples: [
        "zocalo sim hunt orders.mjs --seeds 10000",
        "zocalo sim hunt orders.mjs --seeds 1000000 --minutes 10",
        "zocalo sim hunt orders.mjs --first          end with the first failure",
      ],
    },
    seeds: "how many seeds",
    from: "the first seed",
    minutes: "end after this many minutes of real time",
    workers: "threads",
    first: "end with the first failure",
    patience: "seconds of real time after which a seed counts as hanging",
    tooFew: (most: number, from: number) => `seeds go up to ${most}; --from ${from} leaves fewer than --seeds`,
  },
  es: {
    help: {
      summary: "busca semillas que fallan",
      paragraphs: [
        "Ejecuta la simulación con muchas semillas, en varios hilos. Cada semilla activa o quita clases enteras de fallos, y " +
          "sortea lo graves que son. Escribe las primeras semillas de cada manera de fallar, y lo que han alcanzado todas las " +
          "ejecuciones juntas.",
        "Falla si una semilla falla o se cuelga. Ctrl-C la termina con lo que ha encontrado.",
      ],
      examples: [
        "zocalo sim hunt orders.mjs --seeds 10000",
        "zocalo sim hunt orders.mjs --seeds 1000000 --minutes 10",
        "zocalo sim hunt orders.mjs --first          hasta la primera que falla",
      ],
    },
    seeds: "cuántas semillas",
    from: "la primera semilla",
    minutes: "termina después de estos minutos de tiempo real",
    workers: "hilos",
    first: "termina con la primera que falla",
    patience: "segundos de tiempo real tras los que una semilla se da por colgada",
    tooFew: (most, from) => `las semillas llegan hasta ${most}; --from ${from} deja menos que --seeds`,
  },
});
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
/** More threads than this gain little, and take the machine from everybody else. */
const MOST_WORKERS = 4;
/** Each thread has the memory of a program of its own. */
const LARGEST_WORKERS = 256;
/** Seeds that are kept of each kind of failure. */
const SHOWN_SEEDS = 5;

/** The command. */
export function simHuntCommand(): Command {
  return newSimCommand("hunt", TEXTS.help)
    .option("--seeds <n>", TEXTS.seeds, count, 1000)
    .option("--from <seed>", TEXTS.from, seed, 1)
    .option("--minutes <m>", TEXTS.minutes, units(MINUTE_MS))
    .option("--workers <n>", TEXTS.workers, countUpTo(LARGEST_WORKERS), Math.min(MOST_WORKERS, availableParallelism()))
    .option("--first", TEXTS.first)
    .option("--patience <s>", TEXTS.patience, units(SECOND_MS), 60)
    .action(running(hunt));
}

async function hunt(file: string, flags: HuntFlags, context: CommandContext): Promise<number> {
  const { output, stdout } = context;
  if (flags.from + flags.seeds - 1 > Number.MAX_SAFE_INTEGER) {
    throw wrongUsage(TEXTS.tooFew(Number.MAX_SAFE_INTEGER, flags.from));
  }
  // What cannot be loaded is told before there are threads.
  const restore = holdAllBack();
  try {
    loadSimulation(file, flags.export);
  } finally {
    restore();
  }
  const totals = new ExplorationTotals();
  const failing: FailingSeeds = new Map();
  const failed = (run: HuntRun, identity: string): boolean => {
    const known = failing.get(identity);
    if (known === undefined)
      output.say({ event: "failure", seed: run.seed, identity }, `seed ${run.seed}: ${identity}`);
    // Every seed may fail, and there may be any number of them.
    failing.set(identity, [...(known ?? []), run.seed].sort(byNumber).slice(0, SHOWN_SEEDS));
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
  const [first] = [...failing].sort(([, [a = 0]], [, [b = 0]]) => a - b);
  if (first === undefined) return EXIT.done;
  const [identity, [firstSeed = 0]] = first;
  throw simFailure(identity, replayLine(file, flags, firstSeed));
}

const byNumber = (a: number, b: number): number => a - b;

function emptyList(seedNumber: number): HuntRun["list"] {
  const choices = { cutReads: true, permute: false, latency: 1 };
  return { format: 1, simulation: "", seed: seedNumber, chaosMs: 0, choices, faults: [] };
}

/** The totals, and the first seeds of each kind of failure. */
function reportText(file: string, flags: HuntFlags, totals: ExplorationTotals, failing: FailingSeeds): string {
  const groups = totals.failures.map(({ identity, runs }) => {
    const seeds = failing.get(identity) ?? [];
    return `\n${identity}: ${quantity(runs, "run")}\n${seeds.map((one) => `  ${replayLine(file, flags, one)}`).join("\n")}`;
  });
  return `${totals.text()}${groups.join("\n")}`;
}
