/** What the commands of `zocalo sim` have in common on the command line. */

import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { ZocaloError } from "../../index.ts";
import { type ExploreOptions, parseFaultList, type Simulation } from "../../sim.ts";
import { newCommand, seed } from "../terminal/command.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { loadModule } from "../terminal/load-module.ts";

/** The flags of every command that runs one seed. */
export interface SimFlags {
  readonly export: string;
  readonly seed?: number;
  readonly faults?: string;
}

/** A command about a file with a simulation. */
export function newSimCommand(
  name: string,
  summary: string,
  paragraphs: readonly string[],
  examples: readonly string[],
): Command {
  return newCommand(name, summary, paragraphs, examples)
    .argument("<file>", "a module whose default export is a simulation")
    .option("--export <name>", "the name of the export to use", "default");
}

/** Adds `--seed` and `--faults`. */
export function addSeedFlags(command: Command): Command {
  return command
    .option("--seed <number>", "the seed, which decides the run (default: 1)", seed)
    .addOption(new Option("--faults <list>", "replay a list of faults instead of a seed").conflicts("seed"));
}

/** What the flags say about the run. */
export function runOf({ seed: number = 1, faults }: SimFlags): ExploreOptions {
  if (faults === undefined) return { seed: number };
  let text: string;
  try {
    text = readFileSync(faults, "utf8");
  } catch (error) {
    const detail = "the list of faults cannot be read; check the path";
    throw new ZocaloError("PATH_NOT_FOUND", { op: "sim", local: faults, detail, cause: error });
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
    const hint =
      names.length > 0
        ? `it has: ${names.join(", ")}; choose one with --export NAME`
        : 'write `export default simulation({ ... }, async (world) => { ... })`, from "zocalo/sim"';
    throw wrongUsage(`${file} has no simulation as its export ${JSON.stringify(exportName)}; ${hint}`);
  }
  return found;
}

function isSimulation(value: unknown): value is Simulation {
  if (typeof value !== "object" || value === null) return false;
  const { main, options } = value as { readonly main?: unknown; readonly options?: unknown };
  return typeof main === "function" && typeof options === "object" && options !== null;
}
