/** The last errors that no call could report, without what a program wrote into them. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { ZocaloError } from "../core/errors.ts";
import type { Clock } from "../io/network/network.ts";
import type { DiagnosticEvent } from "../io/operation/diagnostics.ts";
import { currentScope } from "../sim/guard/scope.ts";
import type { ErrorRow } from "./wire.ts";

/** Most errors that are kept: of all sockets together. */
const KEPT = 256;
const CHANNEL = "zocalo:error";

type Seen = Omit<ErrorRow, "agoMs"> & { readonly at: number };

/** Keeps the last errors from `start` on. Of an error of the program only that there was one: its text may say anything. */
export class ErrorRing {
  readonly #clock: Clock;
  #seen: Seen[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers how to stop. */
  start(): () => void {
    const listener = (message: unknown): void => {
      if (currentScope() === undefined) this.#add(message as DiagnosticEvent);
    };
    subscribe(CHANNEL, listener);
    return () => void unsubscribe(CHANNEL, listener);
  }

  /** The errors with one peer, the last one first; of all peers without it. */
  of(remote?: string): readonly ErrorRow[] {
    const now = this.#clock.now();
    return this.#seen
      .filter((one) => remote === undefined || one.remote === remote)
      .map(({ at, ...rest }) => ({ agoMs: Math.round(now - at), ...rest }))
      .reverse();
  }

  #add({ kind, local, remote, error }: DiagnosticEvent): void {
    const { code, op, side } = factsOf(error);
    this.#seen.push({ at: this.#clock.now(), kind, local, remote, code, op, side });
    if (this.#seen.length > 2 * KEPT) this.#seen = this.#seen.slice(-KEPT);
  }
}

/** What may be told of an error. A program can throw anything, also what does not let itself be looked at. */
function factsOf(error: unknown): Pick<Seen, "code" | "op" | "side"> {
  try {
    if (error instanceof ZocaloError) return { code: error.code, op: error.op, side: error.side };
  } catch {
    // A proxy that is revoked.
  }
  return { code: "PROGRAM", op: undefined, side: "local" };
}
