/** What many runs of a simulation came to: how many failed and how, which faults they had, and what they have reached. */

import { FAULT_KINDS, type FaultKind } from "../../core/faults/fault.ts";
import type { Exploration } from "./explore.ts";

/** Seeds of one kind of failure that are kept. */
const MOST_SEEDS = 5;

/** What the totals take of a run. */
export type ExplorationSummary = Pick<Exploration, "seed" | "coverage" | "list"> & {
  readonly failure: { readonly identity: string } | undefined;
};

/** Runs that fail in the same way. */
export interface FailureGroup {
  /** What they are recognised by; see {@link SimulationFailure}. */
  readonly identity: string;
  /** How many there were. */
  readonly runs: number;
  /** The first seeds, in the order in which they were added. */
  readonly seeds: readonly number[];
}

interface ConditionTotal {
  readonly kind: "always" | "sometimes";
  /** Runs that have looked at it, and runs in which it held at least once. */
  readonly runs: number;
  readonly heldRuns: number;
}

/**
 * Adds up runs of a simulation.
 *
 * @example
 * ```ts
 * import { ExplorationTotals, explore, simulation } from "zocalo/sim";
 * const lucky = simulation({}, async (world) => {
 *   world.host("a");
 *   world.sometimes("the first draw is large", world.random.next() > 0.5);
 * });
 * const totals = new ExplorationTotals();
 * for (let seed = 1; seed <= 20; seed += 1) totals.add(await explore(lucky, { seed }));
 * console.log(totals.runs, totals.failures.length, totals.text().includes("the first draw is large")); // 20 0 true
 * ```
 */
export class ExplorationTotals {
  #runs = 0;
  readonly #failures = new Map<string, { runs: number; seeds: number[] }>();
  readonly #kinds = new Map<FaultKind, number>();
  readonly #conditions = new Map<string, ConditionTotal>();

  /** How many runs were added. */
  get runs(): number {
    return this.#runs;
  }

  /** The failures, in the order in which they were met. */
  get failures(): readonly FailureGroup[] {
    return [...this.#failures].map(([identity, { runs, seeds }]) => ({ identity, runs, seeds }));
  }

  /** Conditions of `world.sometimes` that held in no run: what was never tested. */
  get neverHeld(): readonly string[] {
    return [...this.#conditions]
      .filter(([, { kind, heldRuns }]) => kind === "sometimes" && heldRuns === 0)
      .map(([name]) => name);
  }

  /** Adds a run. */
  add({ seed, failure, list, coverage }: ExplorationSummary): void {
    this.#runs += 1;
    if (failure !== undefined) {
      const group = this.#failures.get(failure.identity) ?? { runs: 0, seeds: [] };
      group.runs += 1;
      if (group.seeds.length < MOST_SEEDS) group.seeds.push(seed);
      this.#failures.set(failure.identity, group);
    }
    for (const kind of new Set(list.faults.map((fault) => fault.kind))) {
      this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    }
    for (const [name, { kind, held }] of Object.entries(coverage)) {
      const before = this.#conditions.get(name) ?? { kind, runs: 0, heldRuns: 0 };
      this.#conditions.set(name, { kind, runs: before.runs + 1, heldRuns: before.heldRuns + (held > 0 ? 1 : 0) });
    }
  }

  /** A table for people: kinds of fault, and conditions. */
  text(): string {
    const failed = this.failures.reduce((sum, { runs }) => sum + runs, 0);
    const lines = [`${this.#runs} ${this.#runs === 1 ? "run" : "runs"}, ${failed} failed`];
    const kinds = FAULT_KINDS.filter((kind) => this.#kinds.has(kind));
    if (kinds.length > 0) lines.push("", "kinds of fault, and the runs that had them:");
    for (const kind of kinds) lines.push(row(kind, String(this.#kinds.get(kind))));
    if (this.#conditions.size > 0) lines.push("", "conditions, and the runs in which they held:");
    for (const [name, { kind, runs, heldRuns }] of this.#conditions) {
      const never = kind === "sometimes" && heldRuns === 0 ? "  never: not tested" : "";
      lines.push(row(`${kind} ${JSON.stringify(name)}`, `${heldRuns} of ${runs}${never}`));
    }
    return lines.join("\n");
  }
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(44)} ${value}`;
}
