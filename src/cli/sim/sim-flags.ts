/** What the commands of `zocalo sim` have in common on the command line. */

import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { type ExploreOptions, parseFaultList, type Simulation } from "../../sim.ts";
import { type CommandTexts, newCommand, seed } from "../terminal/command.ts";
import { CommandError, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { loadModule } from "../terminal/load-module.ts";

/** The flags of every command that runs one seed. */
export interface SimFlags {
  readonly export: string;
  readonly seed?: number;
  readonly faults?: string;
}

const TEXTS = inLanguage({
  en: {
    file: "a module whose default export is a simulation",
    export: "the name of the export to use",
    seed: "the seed, which decides the run (default: 1)",
    faults: "replay a list of faults instead of a seed",
    unreadable: "the list of faults cannot be read; check the path",
    choose: (names: string) => `it has: ${names}; choose one with --export NAME`,
    write: 'write `export default simulation({ ... }, async (world) => { ... })`, from "zocalo/sim"',
    none: (file: string, name: string) => `${file} has no simulation as its export ${name}`,
  },
  es: {
    file: "un módulo cuya exportación por omisión es una simulación",
    export: "el nombre de la exportación que se usa",
    seed: "la semilla, que decide la ejecución (por omisión: 1)",
    faults: "repite una lista de fallos en lugar de una semilla",
    unreadable: "la lista de fallos no se puede leer; revisa la ruta",
    choose: (names) => `tiene: ${names}; elige una con --export NOMBRE`,
    write: 'escribe `export default simulation({ ... }, async (world) => { ... })`, de "zocalo/sim"',
    none: (file, name) => `${file} no tiene una simulación como su exportación ${name}`,
  },
});

/** A command about a file with a simulation. */
export function newSimCommand(name: string, texts: CommandTexts): Command {
  return newCommand(name, texts).argument("<file>", TEXTS.file).option("--export <name>", TEXTS.export, "default");
}

/** Adds `--seed` and `--faults`. */
export function addSeedFlags(command: Command): Command {
  return command
    .option("--seed <number>", TEXTS.seed, seed)
    .addOption(new Option("--faults <list>", TEXTS.faults).conflicts("seed"));
}

/** What the flags say about the run. */
export function runOf({ seed: number = 1, faults }: SimFlags): ExploreOptions {
  if (faults === undefined) return { seed: number };
  let text: string;
  try {
    text = readFileSync(faults, "utf8");
  } catch (error) {
    throw new CommandError("PATH_NOT_FOUND", { op: "sim", local: faults, detail: TEXTS.unreadable, cause: error });
  }
  return { faults: parseFaultList(text, "sim") };
}

/** The line that does the same again, for a shell. */
export function replayLine(
  file: string,
  flags: { readonly export: string; readonly faults?: string },
  seedNumber: number,
): string {
  const which = flags.faults === undefined ? ["--seed", String(seedNumber)] : ["--faults", flags.faults];
  const exported = flags.export === "default" ? [] : ["--export", flags.export];
  return ["zocalo", "sim", "run", file, ...exported, ...which].map(shellWord).join(" ");
}

/** A text as one word of a POSIX shell: in quotes only where it needs them. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The simulation that `file` exports by a name. A simulation without a name is called as its file. */
export function loadSimulation(file: string, exportName: string): Simulation {
  const exports = loadModule(file, "sim");
  const found = exports[exportName];
  if (!isSimulation(found)) {
    const names = Object.keys(exports).filter((name) => isSimulation(exports[name]));
    const hint = names.length > 0 ? TEXTS.choose(names.join(", ")) : TEXTS.write;
    throw wrongUsage(`${TEXTS.none(file, JSON.stringify(exportName))}; ${hint}`);
  }
  return found;
}

function isSimulation(value: unknown): value is Simulation {
  if (typeof value !== "object" || value === null) return false;
  const { main, options } = value as { readonly main?: unknown; readonly options?: unknown };
  return typeof main === "function" && typeof options === "object" && options !== null;
}
