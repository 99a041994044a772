/** What must always hold in a world, and what must happen at least sometimes. */

import { ZocaloError } from "../../core/errors.ts";

/** How often one named condition was looked at, and how often it held. */
export interface ConditionCount {
  /** Which of the two calls of the world named it first. */
  readonly kind: "always" | "sometimes";
  /** How often it was looked at. */
  readonly checked: number;
  /** How often it held. */
  readonly held: number;
}

/**
 * What must hold in a world does not: a `world.always`, or what was to come about after everything was healed.
 *
 * @example
 * ```ts
 * import { InvariantError, simulate } from "zocalo/sim";
 * try {
 *   await simulate({ seed: 1 }, async (world) => world.always("two is one", Number(2) === 1));
 * } catch (error) {
 *   console.log(error instanceof InvariantError && error.invariant); // two is one
 * }
 * ```
 */
export class InvariantError extends ZocaloError {
  /** The name of the class. */
  override readonly name: string = "InvariantError";
  /** The name of the condition. */
  readonly invariant: string;

  constructor(op: "always" | "converge", invariant: string, detail: string) {
    super("SIM_INVARIANT", { op, detail });
    this.invariant = invariant;
  }
}

/** The conditions of one run. */
export class Invariants {
  readonly #counts = new Map<string, ConditionCount>();

  /** All conditions by name, in the order of their first check. */
  get coverage(): Readonly<Record<string, ConditionCount>> {
    return Object.fromEntries(this.#counts);
  }

  /** Counts a check; answers the error when what must always hold does not. */
  check(kind: ConditionCount["kind"], name: string, holds: boolean, where: string): ZocaloError | undefined {
    const before = this.#counts.get(name) ?? { kind, checked: 0, held: 0 };
    this.#counts.set(name, { kind, checked: before.checked + 1, held: before.held + (holds ? 1 : 0) });
    if (kind === "sometimes" || holds) return undefined;
    const detail = `${JSON.stringify(name)} must always hold and does not (${where})`;
    return new InvariantError("always", name, detail);
  }
}
