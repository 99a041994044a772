/** Makes a failure small enough for a person to read. */

import type { Choices, FaultList } from "../../core/faults/fault-list.ts";
import type { TimedFault } from "../../core/faults/fault.ts";
import { checkOptions, FUNCTION, optionInvalid, type RulesOf, wholeNumber } from "../../core/options/check-options.ts";
import { explore } from "./explore.ts";
import type { Simulation } from "./simulation.ts";
import { certainFault, shorterFaults, weakerFaults } from "./weaker-faults.ts";

/** How far to go. */
export interface ShrinkOptions {
  /** Most runs of the simulation. Default 1000. */
  readonly mostRuns?: number | undefined;
  /** Told of every smaller list that fails in the same way. */
  readonly onProgress?: ((list: FaultList, runs: number) => void) | undefined;
}

/** What is left. */
export interface ShrinkReport {
  /** The smallest list that was found; its `failure` is that of the list before. */
  readonly list: FaultList;
  /** Runs of the simulation that it took. */
  readonly runs: number;
  /** False when `mostRuns` ended it. */
  readonly finished: boolean;
}

const DEFAULT_MOST_RUNS = 1000;
const RULES: RulesOf<ShrinkOptions> = { mostRuns: wholeNumber(1, Number.MAX_SAFE_INTEGER), onProgress: FUNCTION };
/** One-way delay of a world in which nothing is special, in milliseconds. */
const BORING_LATENCY_MS = 1;

/**
 * Shrinks a list of faults that lets a simulation fail: leaves out faults (delta debugging), makes the rest weaker and
 * shorter, and takes boring choices (a fixed latency, whole reads, no permutation), as long as the run fails in the same way.
 * In the end faults hit every packet of their time where that still fails, so that the list means the same with any seed.
 * Rejects with `OPTION_INVALID` when the list does not let it fail.
 *
 * @example
 * ```ts
 * import { explore, shrink, simulation } from "zocalo/sim";
 * const fragile = simulation({ chaos: { kinds: ["freeze", "loss"] } }, async (world) => {
 *   const host = world.host("a");
 *   world.host("b");
 *   for (let step = 0; step < 1_000; step += 1) {
 *     await world.sleep(10);
 *     world.always("a is up", !host.silent);
 *   }
 * });
 * for (let seed = 1; seed <= 100; seed += 1) {
 *   const { failure, list } = await explore(fragile, { seed });
 *   if (failure === undefined) continue;
 *   const { list: small } = await shrink(fragile, list);
 *   console.log(small.faults.map(({ kind }) => kind)); // [ 'freeze' ]
 *   break;
 * }
 * ```
 */
export async function shrink(
  simulation: Simulation,
  list: FaultList,
  options: ShrinkOptions = {},
): Promise<ShrinkReport> {
  const checked = checkOptions({ op: "shrink" }, options, RULES);
  const { failure } = await explore(simulation, { faults: list });
  if (failure === undefined || (list.failure !== undefined && list.failure !== failure.identity)) {
    const found = failure === undefined ? "the run does not fail" : `the run fails with ${failure.identity}`;
    const wanted = list.failure === undefined ? "" : `, not with ${list.failure}`;
    const why = "the program has changed, or depends on more than its seed";
    throw optionInvalid({ op: "shrink" }, `${found}${wanted}; ${why}`);
  }
  const shrinking = new Shrinking(simulation, { ...list, failure: failure.identity }, checked);
  await shrinking.run();
  return shrinking.report;
}

class Shrinking {
  #list: FaultList;
  #runs = 1;
  readonly #mostRuns: number;
  readonly #simulation: Simulation;
  readonly #onProgress: ShrinkOptions["onProgress"];

  constructor(simulation: Simulation, list: FaultList, { mostRuns = DEFAULT_MOST_RUNS, onProgress }: ShrinkOptions) {
    this.#simulation = simulation;
    this.#list = list;
    this.#mostRuns = mostRuns;
    this.#onProgress = onProgress;
  }

  get report(): ShrinkReport {
    return { list: this.#list, runs: this.#runs, finished: !this.#tired };
  }

  get #tired(): boolean {
    return this.#runs >= this.#mostRuns;
  }

  async run(): Promise<void> {
    let size: string | undefined;
    // Boring choices may make a fault superfluous, and the other way round.
    while (size !== JSON.stringify(this.#list) && !this.#tired) {
      size = JSON.stringify(this.#list);
      await minimize(this.#list.faults, (faults) => this.#fails({ ...this.#list, faults }));
      await this.#improveEach(weakerFaults);
      await this.#boreChoices();
    }
    await this.#makeCertain();
    await this.#boreChoices();
    await this.#improveEach(shorterFaults);
  }

  /** Lets faults hit every packet where the run still fails: then the seed decides nothing. */
  async #makeCertain(): Promise<void> {
    for (let index = 0; index < this.#list.faults.length; index += 1) {
      const certain = certainFault(this.#list.faults[index] as TimedFault);
      if (certain !== undefined) await this.#tryForAnyTime(index, certain);
    }
  }

  /** Takes a fault for its time, or for the half of it, and so on. */
  async #tryForAnyTime(index: number, fault: TimedFault): Promise<void> {
    for (let { lastsMs } = fault; lastsMs > 0; lastsMs = Math.floor(lastsMs / 2)) {
      if (await this.#failsWith(index, { ...fault, lastsMs })) return;
    }
  }

  async #improveEach(formsOf: (fault: TimedFault) => readonly TimedFault[]): Promise<void> {
    for (let index = 0; index < this.#list.faults.length; index += 1) {
      let improved = true;
      while (improved && !this.#tired) improved = await this.#improveOne(index, formsOf);
    }
  }

  async #improveOne(index: number, formsOf: (fault: TimedFault) => readonly TimedFault[]): Promise<boolean> {
    for (const form of formsOf(this.#list.faults[index] as TimedFault)) {
      if (await this.#failsWith(index, form)) return true;
    }
    return false;
  }

  #failsWith(index: number, fault: TimedFault): Promise<boolean> {
    return this.#fails({ ...this.#list, faults: this.#list.faults.with(index, fault) });
  }

  async #boreChoices(): Promise<void> {
    const boring: readonly Partial<Choices>[] = [
      { latency: BORING_LATENCY_MS, cutReads: false, permute: false },
      { latency: BORING_LATENCY_MS },
      { cutReads: false },
      { permute: false },
    ];
    for (const change of boring) {
      const choices = { ...this.#list.choices, ...change };
      if (JSON.stringify(choices) !== JSON.stringify(this.#list.choices)) await this.#fails({ ...this.#list, choices });
    }
  }

  /** Whether a list fails in the same way; then it is the new one. */
  async #fails(candidate: FaultList): Promise<boolean> {
    if (this.#tired) return false;
    this.#runs += 1;
    const { failure } = await explore(this.#simulation, { faults: candidate });
    if (failure?.identity !== this.#list.failure) return false;
    this.#list = candidate;
    this.#onProgress?.(candidate, this.#runs);
    return true;
  }
}

/**
 * The smallest part of `items` that was found for which `fails` holds; it holds for all of them. Nothing of the answer can be
 * left out, as far as `fails` was asked: it may say no when it is tired.
 */
export async function minimize<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  if (items.length > 0 && (await fails([]))) return [];
  let rest = items;
  let parts = 2;
  while (rest.length >= 2) {
    const smaller = await failingPart(rest, parts, fails);
    if (smaller !== undefined) {
      // A part that fails alone is cut anew; a rest keeps its cuts, of which there is one less.
      parts = smaller.isRest ? Math.max(parts - 1, 2) : 2;
      rest = smaller.items;
    } else if (parts >= rest.length) break;
    else parts = Math.min(parts * 2, rest.length);
  }
  return rest;
}

async function failingPart<T>(
  items: readonly T[],
  parts: number,
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<{ readonly items: readonly T[]; readonly isRest: boolean } | undefined> {
  const bounds = Array.from({ length: parts + 1 }, (_value, index) => Math.floor((index * items.length) / parts));
  const cuts = bounds.slice(1).map((end, index): [number, number] => [bounds[index] as number, end]);
  for (const [begin, end] of cuts) {
    const part = items.slice(begin, end);
    if (await fails(part)) return { items: part, isRest: false };
  }
  // With two parts each rest is the other part.
  if (parts === 2) return undefined;
  for (const [begin, end] of cuts) {
    const part = [...items.slice(0, begin), ...items.slice(end)];
    if (await fails(part)) return { items: part, isRest: true };
  }
  return undefined;
}
