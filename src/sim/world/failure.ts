/** What a failed run is recognised by. */

import { ZocaloError } from "../../core/errors.ts";
import { InvariantError } from "./invariants.ts";

/** How a run failed. */
export interface SimulationFailure {
  /**
   * The same for runs that fail in the same way: the name of the invariant, the code of the error and its call, or the
   * name and the first line of the message of any other error, where numbers and texts are not compared.
   */
  readonly identity: string;
  /** What the run was rejected with. */
  readonly error: unknown;
}

/** Longer messages differ in what does not matter. */
const MOST_CHARACTERS = 120;

/** Recognises a failure. */
export function failureOf(error: unknown): SimulationFailure {
  return { identity: identityOf(error), error };
}

/** Says in the stack of an error, which every runner of tests prints, what replays it; message and identity stay. */
export function withSeed(error: unknown, seed: number, nowMs: number): unknown {
  if (!(error instanceof Error)) return error;
  // A stack that cannot be written stays as it is.
  Reflect.set(
    error,
    "stack",
    `${error.stack ?? String(error)}\n    at ${nowMs} ms of the simulated world with seed ${seed}`,
  );
  return error;
}

function identityOf(error: unknown): string {
  if (error instanceof InvariantError) return `${error.code} ${error.op} ${JSON.stringify(error.invariant)}`;
  if (error instanceof ZocaloError) return `${error.code} ${error.op}`;
  if (!(error instanceof Error)) return "a value that is no error";
  const [line = ""] = error.message.split("\n");
  const shape = line.replaceAll(/\d+(?:\.\d+)*/g, "#").slice(0, MOST_CHARACTERS);
  return `${error.name} ${shape}`.replace(/[:\s]+$/, "");
}
