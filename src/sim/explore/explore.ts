/** Running a simulation with a seed, or with a list of faults. */

import { checkOptions, FLAG, OBJECT, only, type RulesOf } from "../../core/options/check-options.ts";
import type { FaultGuard, TimedFault } from "../../core/faults/fault.ts";
import { FAULT_LIST_FORMAT, type FaultList } from "../../core/faults/fault-list.ts";
import { type RunSinks, runTwice } from "../world/check.ts";
import { Run, type RunExtension, SIMULATE_RULES } from "../world/simulate.ts";
import type { TraceSink } from "../world/trace.ts";
import { failureOf, type SimulationFailure } from "../world/failure.ts";
import type { SimWorld } from "../world/world.ts";
import type { SimulateOptions, SimulationReport } from "../world/world-contract.ts";
import {
  type ChaosOptions,
  DEFAULT_CHAOS_MS,
  DEFAULT_CONVERGE_MS,
  DEFAULT_NAME,
  type Simulation,
  type SimulationOptions,
} from "./simulation.ts";
import { drawChoices, drawFaults } from "./swarm.ts";

/** How to run a simulation once. */
export interface ExploreOptions {
  /** Decides the faults and everything else. Default 1. */
  readonly seed?: number | undefined;
  /** Faults and choices instead of those that a seed draws; its seed counts. */
  readonly faults?: FaultList | undefined;
  /** Run twice and compare the traces; a difference is a failure with `SIM_DIVERGED`. Default false. */
  readonly twice?: boolean | undefined;
  /** As for `simulate`. */
  readonly trace?: TraceSink | undefined;
  /** As for `simulate`. */
  readonly capture?: SimulateOptions["capture"];
}

/** What a run came to; a failure is a result. */
export interface Exploration<T = unknown> extends Omit<SimulationReport<T>, "value"> {
  /** What `main` resolved with; undefined when the run failed. */
  readonly value: T | undefined;
  /** How the run failed; undefined when it did not. */
  readonly failure: SimulationFailure | undefined;
  /** Everything that decided the run, to store, to replay and to shrink. */
  readonly list: FaultList;
}

const RULES: RulesOf<ExploreOptions> = {
  ...only(SIMULATE_RULES, "seed", "trace", "capture"),
  faults: OBJECT,
  twice: FLAG,
};

/**
 * Runs a simulation once with a seed, or with a list of faults. Rejects with `OPTION_INVALID` for options that make no
 * sense; every other failure is a result.
 *
 * @example
 * ```ts
 * import { explore, formatFaultList, simulation } from "zocalo/sim";
 * const late = simulation({ name: "late" }, async (world) => {
 *   world.host("a");
 *   world.host("b");
 *   await world.healed;
 *   world.always("nothing is wrong", false);
 * });
 * const { failure, list } = await explore(late, { seed: 7, twice: true });
 * console.log(failure?.identity); // SIM_INVARIANT always "nothing is wrong"
 * const again = await explore(late, { faults: list });
 * console.log(again.failure?.identity === failure?.identity, formatFaultList(list).length > 0); // true true
 * ```
 */
export async function explore<T>(simulation: Simulation<T>, options: ExploreOptions = {}): Promise<Exploration<T>> {
  const { seed: asked = 1, faults, twice = false, trace, capture } = checkOptions({ op: "explore" }, options, RULES);
  const { options: own, main } = simulation;
  const seed = faults?.seed ?? asked;
  const choices = faults?.choices ?? drawChoices(seed, own);
  const chaosMs = faults?.chaosMs ?? chaosMsOf(own);
  const { cutReads, permute, latency } = choices;
  const { name = DEFAULT_NAME, chaos: _chaos, convergeMs: _convergeMs, ...world } = own;
  const decided = { ...world, seed, cutReads, explore: permute, link: { ...own.link, latency } };
  // A run that is repeated has chaos of its own.
  const begun: { readonly run: Run; readonly chaos: Chaos }[] = [];
  const begin = (sinks: RunSinks): Run => {
    const chaos = new Chaos(own, chaosMs, faults?.faults);
    const run = new Run({ ...decided, ...sinks }, chaos);
    begun.push({ run, chaos });
    return run;
  };
  let value: T | undefined;
  let failure: SimulationFailure | undefined;
  const sinks = { trace, capture };
  const running = twice ? runTwice(begin, sinks, main) : begin(sinks).execute(main);
  try {
    ({ value } = await running);
  } catch (error) {
    failure = failureOf(error);
  }
  const [first] = begun;
  if (first === undefined) throw failure?.error;
  const list: FaultList = {
    format: FAULT_LIST_FORMAT,
    simulation: name,
    seed,
    failure: failure?.identity,
    chaosMs,
    choices,
    faults: first.chaos.faults,
  };
  return { ...first.run.progress, value, failure, list };
}

function chaosMsOf({ chaos }: SimulationOptions): number {
  return chaos === false ? 0 : (chaos?.lastsMs ?? DEFAULT_CHAOS_MS);
}

/** When the hosts that a program begins with are there: the smallest step of time. */
const FIRST_MS = 0.001;

/** The chaos of one run: first faults, of a list or of a seed, then everything is healed, then it must converge. */
class Chaos implements RunExtension {
  readonly header: Readonly<Record<string, unknown>>;
  /** What goes wrong; empty until the world has begun. */
  faults: readonly TimedFault[];
  readonly #given: readonly TimedFault[] | undefined;
  readonly #options: ChaosOptions;
  readonly #chaosMs: number;
  readonly #convergeMs: number;
  readonly #guards = new Set<FaultGuard>();

  /** `faults` undefined: those that the seed of the world draws. */
  constructor(options: SimulationOptions, chaosMs: number, faults: readonly TimedFault[] | undefined) {
    this.#chaosMs = chaosMs;
    this.#convergeMs = options.convergeMs ?? DEFAULT_CONVERGE_MS;
    this.#given = faults;
    this.#options = options.chaos === false || options.chaos === undefined ? {} : options.chaos;
    this.faults = [];
    this.header = {
      simulation: options.name,
      chaosMs,
      convergeMs: this.#convergeMs,
      faults: faults ?? "drawn",
      chaos: options.chaos ?? {},
    };
  }

  prepare(world: SimWorld): void {
    if (this.#chaosMs === 0) return;
    world.healed = new Promise((resolve) => {
      world.at(this.#chaosMs, () => {
        for (const guard of [...this.#guards].reverse()) guard.heal();
        this.#guards.clear();
        resolve();
      });
    });
    world.at(FIRST_MS, () => this.#begin(world));
    const why = `is not so ${this.#convergeMs} ms after everything was healed`;
    world.at(this.#chaosMs + this.#convergeMs, () => void world.stuck("the program comes to its end", why));
  }

  #begin(world: SimWorld): void {
    const lastsMs = this.#chaosMs;
    this.faults = this.#given ?? drawFaults(world.seed, world.hosts, { ...this.#options, lastsMs });
    for (const { atMs, lastsMs: durationMs, ...fault } of this.faults) {
      world.at(atMs, () => {
        if (world.now >= this.#chaosMs) return;
        const guard = world.inflict(fault);
        this.#guards.add(guard);
        world.at(atMs + durationMs, () => {
          if (this.#guards.delete(guard)) guard.heal();
        });
      });
    }
  }
}
