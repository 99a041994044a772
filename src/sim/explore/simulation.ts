/** A program with its world, as something that can be run with many seeds. */

import {
  ANY_TEXT,
  checkOptions,
  listOf,
  numberFrom,
  type OptionRule,
  type RulesOf,
  options as object,
  TEXTS,
} from "../../core/options/check-options.ts";
import { FAULT_KINDS, type FaultKind } from "../../core/faults/fault.ts";
import { SIMULATE_RULES } from "../world/simulate.ts";
import type { SimulateOptions, World } from "../world/world-contract.ts";

/** What may go wrong in a simulation. */
export interface ChaosOptions {
  /** How long things go wrong, in virtual milliseconds from the beginning; then everything is healed. Default 10000. */
  readonly lastsMs?: number | undefined;
  /** Kinds of fault that a seed may turn on. Default: all but `reset`, which no network without a middlebox does. */
  readonly kinds?: readonly FaultKind[] | undefined;
  /** Most faults of one seed. Default 12. */
  readonly mostFaults?: number | undefined;
  /** Names of the hosts that may be touched. Default: all that are there when time begins to pass. */
  readonly hosts?: readonly string[] | undefined;
}

/** What decides the runs of a simulation, beside its program and the seed. */
export interface SimulationOptions extends Omit<SimulateOptions, "seed" | "trace" | "capture"> {
  /** Names the simulation in reports and lists of faults. Default `simulation`. */
  readonly name?: string | undefined;
  /** What goes wrong; false: nothing but what the program does itself. Default: everything but `reset`, for 10 seconds. */
  readonly chaos?: ChaosOptions | false | undefined;
  /**
   * How long the program may take to its end after everything was healed, in virtual milliseconds; then the run fails with
   * `SIM_INVARIANT`. Without chaos only `limitMs` counts. Default 60000.
   */
  readonly convergeMs?: number | undefined;
}

const DURATION: OptionRule = numberFrom(0);
const CHAOS: OptionRule = object({
  lastsMs: DURATION,
  kinds: listOf(`some of ${FAULT_KINDS.join(", ")}`, (kind) => FAULT_KINDS.includes(kind as FaultKind)),
  mostFaults: DURATION,
  hosts: TEXTS,
});
const { seed: _seed, trace: _trace, capture: _capture, ...WORLD_RULES } = SIMULATE_RULES;

/** What {@link SimulationOptions} must look like. */
export const SIMULATION_RULES: RulesOf<SimulationOptions> = {
  ...WORLD_RULES,
  name: ANY_TEXT,
  chaos: { ...CHAOS, wanted: "an object, or false", holds: (value) => value === false || CHAOS.holds(value) },
  convergeMs: DURATION,
};

/** A program with its world. Made by `simulation`. */
export interface Simulation<T = unknown> {
  /** What decides its runs, beside the seed. */
  readonly options: SimulationOptions;
  /** The program; it directs the world, and belongs to no host. */
  readonly main: (world: World) => Promise<T>;
}

/**
 * Describes a program that can be run with many seeds: by `explore`, by `simTest`, and by the command `zocalo sim`, which
 * takes a file that has it as its `default` export.
 *
 * Each seed decides which kinds of fault there are, how bad they are and when they come (chaos), until all is healed at
 * `chaos.lastsMs`; then `main` must come to its end within `convergeMs`. Seeds also draw the latency of all links (unless
 * `link.latency` says it), whether the events of one moment are permuted (unless `explore` says it), and, as ever, where
 * reads are cut. Hosts that crash need a program of their own; `main` itself belongs to no host and is never touched.
 *
 * Throws `OPTION_INVALID` for kinds of fault that do not exist, and for times that are no numbers.
 *
 * @example
 * ```ts
 * import { bind } from "zocalo";
 * import { explore, simulation } from "zocalo/sim";
 * const hasty = simulation({ name: "hasty", chaos: { lastsMs: 1_000 } }, async (world) => {
 *   const box = await bind("udp://0.0.0.0:5000", { network: world.host("plaza").network });
 *   const friend = await bind("udp://0.0.0.0:0", { network: world.host("friend").network });
 *   await friend.send("hola", "udp://plaza:5000");
 *   await box.receive({ timeoutMs: 5_000 }); // a datagram may be lost
 * });
 * for (let seed = 1; seed <= 50; seed += 1) {
 *   const { failure } = await explore(hasty, { seed });
 *   if (failure !== undefined) console.log(`seed ${seed}: ${failure.identity}`);
 * }
 * ```
 */
export function simulation<T>(options: SimulationOptions, main: (world: World) => Promise<T>): Simulation<T> {
  return { options: checkOptions({ op: "simulation" }, options, SIMULATION_RULES), main };
}

/** The kinds of fault that a seed may turn on when nobody says which. */
export const DEFAULT_KINDS: readonly FaultKind[] = FAULT_KINDS.filter((kind) => kind !== "reset");

/** How long chaos lasts when nobody says it. */
export const DEFAULT_CHAOS_MS = 10_000;
/** How long a healed program may take when nobody says it. */
export const DEFAULT_CONVERGE_MS = 60_000;
/** The name of a simulation that has none. */
export const DEFAULT_NAME = "simulation";
