/** Tests for `node:test` that run a program with many seeds. */

import { checkOptions, type RulesOf, wholeNumber } from "../../core/options/check-options.ts";
import { type FaultList, parseFaultList } from "../../core/faults/fault-list.ts";
import { faultText } from "../../core/faults/fault.ts";
import { builtin } from "../guard/builtin.ts";
import type { World } from "../world/world-contract.ts";
import { type Exploration, explore } from "./explore.ts";
import { type Simulation, SIMULATION_RULES, type SimulationOptions, simulation } from "./simulation.ts";
import { ExplorationTotals } from "./totals.ts";

/** What `simTest` does with a simulation. */
export interface SimTestOptions extends Omit<SimulationOptions, "name"> {
  /** How many seeds. Default 100. */
  readonly seeds?: number | undefined;
  /** The first seed. Default 1. */
  readonly firstSeed?: number | undefined;
  /** One seed in so many runs twice, to see that nothing but the seed decides; 1: all, 0: none. Default 10. */
  readonly checkOneIn?: number | undefined;
  /**
   * The folder with lists of faults, from the working directory. Those of this test, by its name, run first, and must not
   * fail any more. Default `test/replay`; false: none.
   */
  readonly replayFolder?: string | false | undefined;
}

/** What is used of `node:test`. */
type RunTest = (name: string, run: (context: { diagnostic(message: string): void }) => Promise<void>) => Promise<void>;

const COUNT = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const { name: _name, ...OWN_RULES } = SIMULATION_RULES;
const RULES: RulesOf<SimTestOptions> = {
  ...OWN_RULES,
  seeds: COUNT,
  firstSeed: COUNT,
  checkOneIn: COUNT,
  replayFolder: {
    wanted: "the path of a folder, or false",
    holds: (value) => value === false || typeof value === "string",
  },
};

const DEFAULT_SEEDS = 100;
const DEFAULT_CHECK_ONE_IN = 10;
const DEFAULT_REPLAY_FOLDER = "test/replay";
/** Names the only seed to run: `SIM_SEED=17 node --test ...`. */
const SEED_VARIABLE = "SIM_SEED";

/**
 * A test that runs `main`, or a simulation, with many seeds, and first with the lists of faults that were stored for it.
 * A failure names the seed, its faults, and the line that replays it: `SIM_SEED=17 node --test FILE`, or with `npx tsx`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { connect, serve } from "zocalo";
 * import { simTest } from "zocalo/sim";
 * simTest("every client is greeted once the network is well", { seeds: 20 }, async (world) => {
 *   world.host("server", async (network) => {
 *     await serve("tcp://0.0.0.0:7000", (peer) => peer.write("hola"), { network });
 *   });
 *   const { network } = world.host("client");
 *   await world.healed;
 *   const call = await connect("tcp://server:7000", { network });
 *   assert.equal(String(await call.readExactly(4)), "hola");
 * });
 * ```
 */
export function simTest(
  name: string,
  options: SimTestOptions,
  main: ((world: World) => Promise<unknown>) | Simulation,
): void {
  const checked = checkOptions({ op: "simTest" }, options, RULES);
  const { seeds: _seeds, firstSeed: _first, checkOneIn: _one, replayFolder: _folder, ...own } = checked;
  const program: Simulation =
    typeof main === "function"
      ? simulation({ ...own, name }, main)
      : simulation({ ...main.options, ...own, name }, main.main);
  const { test } = builtin("test") as { readonly test: RunTest };
  void test(name, async (context) => {
    const totals = new ExplorationTotals();
    for (const run of runsOf(name, checked)) {
      const result = await explore(program, run);
      totals.add(result);
      if (result.failure !== undefined) throw failed(name, result, run.faults !== undefined);
    }
    for (const line of totals.text().split("\n")) context.diagnostic(line);
  });
}

interface PlannedRun {
  readonly seed: number;
  readonly twice: boolean;
  readonly faults: FaultList | undefined;
}

/** The stored lists, then the seeds; or only the seed that the environment names. */
function* runsOf(name: string, options: SimTestOptions): Generator<PlannedRun> {
  const { seeds = DEFAULT_SEEDS, firstSeed = 1, checkOneIn = DEFAULT_CHECK_ONE_IN } = options;
  const only = process.env[SEED_VARIABLE];
  if (only !== undefined && /^\d+$/.test(only)) {
    yield { seed: Number(only), twice: true, faults: undefined };
    return;
  }
  for (const faults of storedLists(name, options.replayFolder)) yield { seed: faults.seed, twice: true, faults };
  for (let index = 0; index < seeds; index += 1) {
    yield { seed: firstSeed + index, twice: checkOneIn > 0 && index % checkOneIn === 0, faults: undefined };
  }
}

function storedLists(name: string, folder: string | false = DEFAULT_REPLAY_FOLDER): readonly FaultList[] {
  if (folder === false) return [];
  const { existsSync, readdirSync, readFileSync } = builtin("fs") as {
    readonly existsSync: (path: string) => boolean;
    readonly readdirSync: (path: string) => readonly string[];
    readonly readFileSync: (path: string, encoding: "utf8") => string;
  };
  if (!existsSync(folder)) return [];
  const files = [...readdirSync(folder)].filter((file) => file.endsWith(".json")).sort();
  const lists = files.map((file) => parseFaultList(readFileSync(`${folder}/${file}`, "utf8"), `${folder}/${file}`));
  return lists.filter((list) => list.simulation === name);
}

function failed(name: string, { failure, list }: Exploration, stored: boolean): Error {
  const { error, identity } = failure ?? { error: undefined, identity: "" };
  const message = error instanceof Error ? error.message : String(error);
  const faults = list.faults.map((fault) => `\n    ${faultText(fault)}, at ${fault.atMs} ms for ${fault.lastsMs} ms`);
  const file = (process.argv[1] ?? "FILE").replace(`${process.cwd()}/`, "");
  // As the program was started: tsx loads TypeScript where Node does not.
  const runner = process.execArgv.some((word) => /\btsx\b/.test(word)) ? "npx tsx" : "node";
  const run = `${runner} --test ${/^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`}`;
  const replay = stored ? run : `${SEED_VARIABLE}=${list.seed} ${run}`;
  const text =
    `${JSON.stringify(name)} fails with ${stored ? "a stored list of faults" : `seed ${list.seed}`}: ${identity}\n` +
    `  ${message}\n  faults:${faults.join("") || " none"}\n  replay: ${replay}`;
  return new Error(text, { cause: error });
}
