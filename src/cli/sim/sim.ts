/** `zocalo sim`: programs in a simulated network. */

import type { Command } from "commander";
import { explore, formatFaultList, shrink } from "../../sim.ts";
import { addHelpCommand, count, newCommand } from "../terminal/command.ts";
import { CommandFailure, EXIT } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { type CommandContext, leaveSignals, running } from "../terminal/run-command.ts";
import { quantity } from "../terminal/visible-text.ts";
import { simHuntCommand } from "./hunt.ts";
import { holdProgramsBack, showPrograms } from "./program-output.ts";
import { failedText, listText, passedText, simFailure, writeResult } from "./report.ts";
import { addSeedFlags, loadSimulation, newSimCommand, replayLine, runOf, type SimFlags } from "./sim-flags.ts";
import { simTraceCommand } from "./trace.ts";

const TEXTS = inLanguage({
  en: {
    sim: {
      summary: "run a program in a simulated network",
      paragraphs: [
        "Runs a program in a simulated network. A seed decides what goes wrong; the same seed does the same again. FILE is a " +
          'module whose default export is a simulation, from "zocalo/sim".',
      ],
      examples: [
        "zocalo sim hunt orders.mjs --seeds 1000     look for seeds that fail",
        "zocalo sim run orders.mjs --seed 17         run one of them",
        "zocalo sim check orders.mjs --seed 17       does only the seed decide?",
        "zocalo sim shrink orders.mjs --seed 17      with as few faults as possible",
        "zocalo sim trace orders.mjs --seed 17       what happens, packet by packet",
      ],
    },
    run: {
      summary: "run one seed",
      paragraphs: [
        "Runs the simulation once. The seed decides which faults there are, and everything else that the program does not. " +
          "Prints what the programs write, each line with the virtual time and the host before it; a failure with its " +
          "faults, and the line that replays it.",
      ],
      examples: ["zocalo sim run orders.mjs --seed 17", "zocalo sim run orders.mjs --faults orders.json"],
    },
    check: {
      summary: "run one seed twice and compare",
      paragraphs: [
        "Runs the simulation twice with one seed, and compares everything that happens. At the first difference it shows " +
          "both sides: something other than the seed decides the run.",
      ],
      examples: ["zocalo sim check orders.mjs --seed 17"],
    },
    shrink: {
      summary: "make a failure small",
      paragraphs: [
        "Runs a seed that fails, and again with fewer and weaker faults, as long as it fails in the same way. Prints what is " +
          "left; with --out it writes a list of faults that `zocalo sim run FILE --faults LIST` replays, in every later " +
          "version too.",
      ],
      examples: ["zocalo sim shrink orders.mjs --seed 17 --out orders.json"],
    },
    out: "write the list of faults to a file",
    runs: "at most this many runs",
    passed: (seed: number) => `seed ${seed} does not fail; there is nothing to shrink`,
  },
  es: {
    sim: {
      summary: "ejecuta un programa en una red simulada",
      paragraphs: [
        "Ejecuta un programa en una red simulada. Una semilla decide lo que sale mal; la misma semilla hace otra vez lo " +
          'mismo. ARCHIVO es un módulo cuya exportación por omisión es una simulación, de "zocalo/sim".',
      ],
      examples: [
        "zocalo sim hunt orders.mjs --seeds 1000     busca semillas que fallan",
        "zocalo sim run orders.mjs --seed 17         ejecuta una de ellas",
        "zocalo sim check orders.mjs --seed 17       ¿decide solo la semilla?",
        "zocalo sim shrink orders.mjs --seed 17      con los menos fallos posibles",
        "zocalo sim trace orders.mjs --seed 17       qué ocurre, paquete a paquete",
      ],
    },
    run: {
      summary: "ejecuta una semilla",
      paragraphs: [
        "Ejecuta la simulación una vez. La semilla decide qué fallos hay, y todo lo demás que no decide el programa. Escribe " +
          "lo que escriben los programas, cada línea con el tiempo virtual y la máquina delante; si la simulación falla, " +
          "escribe sus fallos, y la línea que la repite.",
      ],
      examples: ["zocalo sim run orders.mjs --seed 17", "zocalo sim run orders.mjs --faults orders.json"],
    },
    check: {
      summary: "ejecuta una semilla dos veces y compara",
      paragraphs: [
        "Ejecuta la simulación dos veces con una semilla, y compara todo lo que ocurre. En la primera diferencia enseña los " +
          "dos lados: algo que no es la semilla decide la ejecución.",
      ],
      examples: ["zocalo sim check orders.mjs --seed 17"],
    },
    shrink: {
      summary: "reduce una ejecución que falla",
      paragraphs: [
        "Ejecuta una semilla que falla, y otra vez con menos fallos y más débiles, mientras falle de la misma manera. Escribe " +
          "lo que queda; con --out escribe una lista de fallos que `zocalo sim run ARCHIVO --faults LISTA` repite, también " +
          "en las versiones siguientes.",
      ],
      examples: ["zocalo sim shrink orders.mjs --seed 17 --out orders.json"],
    },
    out: "escribe la lista de fallos en un archivo",
    runs: "como mucho estas ejecuciones",
    passed: (seed) => `la semilla ${seed} no falla; no hay nada que reducir`,
  },
});

/** The command. */
export function simCommand(): Command {
  const command = addHelpCommand(newCommand("sim", TEXTS.sim));
  for (const one of [simRunCommand(), simHuntCommand(), simCheckCommand(), simShrinkCommand(), simTraceCommand()]) {
    command.addCommand(one);
  }
  return command;
}

/** The command `run`. */
function simRunCommand(): Command {
  const command = newSimCommand("run", TEXTS.run);
  return addSeedFlags(command).action(running(runs(1)));
}

/** The command `check`. */
function simCheckCommand(): Command {
  const command = newSimCommand("check", TEXTS.check);
  return addSeedFlags(command).action(running(runs(2)));
}

/** What runs a seed once, or twice to compare. */
function runs(times: 1 | 2): (file: string, flags: SimFlags, context: CommandContext) => Promise<number> {
  const twice = times === 2;
  return async (file, flags, { stdout }) => {
    leaveSignals();
    const simulation = loadSimulation(file, flags.export);
    const restore = twice ? holdProgramsBack() : showPrograms();
    const result = await explore(simulation, { ...runOf(flags), twice }).finally(restore);
    if (result.failure === undefined) {
      await stdout.write(`${passedText(result)}${twice ? "both runs are the same\n" : listText(result.list)}`);
      return EXIT.done;
    }
    // With a difference the failure itself says so.
    const same = twice && !result.failure.identity.startsWith("SIM_DIVERGED") ? "both runs are the same\n" : "";
    await stdout.write(failedText(result) + same);
    throw simFailure(result.failure.identity, replayLine(file, flags, result.seed));
  };
}

interface ShrinkFlags extends SimFlags {
  readonly out?: string;
  readonly runs: number;
}

/** The command. */
function simShrinkCommand(): Command {
  const command = newSimCommand("shrink", TEXTS.shrink)
    .option("--out <list>", TEXTS.out)
    .option("--runs <n>", TEXTS.runs, count, 1000);
  return addSeedFlags(command).action(running(shrinkOne));
}

async function shrinkOne(file: string, flags: ShrinkFlags, { stdout, output }: CommandContext): Promise<number> {
  leaveSignals();
  const simulation = loadSimulation(file, flags.export);
  holdProgramsBack();
  const { failure, list } = await explore(simulation, runOf(flags));
  if (failure === undefined) {
    throw new CommandFailure("SIM_PASSED", TEXTS.passed(list.seed));
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
