/** Lets the faults of a list, or of a seed, happen in a world: first chaos, then everything is healed, then it must converge. */

import type { TimedFault } from "../../core/faults/fault.ts";
import type { RunExtension } from "../world/simulate.ts";
import type { SimWorld } from "../world/world.ts";
import type { FaultGuard } from "../world/world-contract.ts";
import { type ChaosOptions, DEFAULT_CONVERGE_MS, type SimulationOptions } from "./simulation.ts";
import { drawFaults } from "./swarm.ts";

/** When the hosts that a program begins with are there: the smallest step of time. */
const FIRST_MS = 0.001;

/** The chaos of one run. */
export class Chaos implements RunExtension {
  readonly header: Readonly<Record<string, unknown>>;
  /** What goes wrong; empty until the world has begun. */
  faults: readonly TimedFault[];
  readonly #given: readonly TimedFault[] | undefined;
  readonly #options: ChaosOptions;
  readonly #chaosMs: number;
  readonly #convergeMs: number;
  readonly #guards: Set<FaultGuard> = new Set();

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
