/** Writes that a store refuses for long: they are tried again and nobody awaits them, so the program is told. */

import { ZocaloError } from "../../core/errors.ts";
import type { Clock } from "../network/network.ts";
import { unavailable } from "./failure.ts";

/** Longer than a replicated store takes to find a new leader. */
const LONG_MS = 10_000;
/** After one was told, so long no other is. */
const QUIET_MS = 60_000;

/** The writes of one kind of a server. */
export class RefusedWrites {
  readonly #clock: Pick<Clock, "now">;
  readonly #tell: (error: ZocaloError) => void;
  #quietUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, "now">, tell: (error: ZocaloError) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Once more it was not written, and is tried again. @param sinceMs - When it was tried first. */
  again(op: "append" | "commit", what: string, sinceMs: number, cause: unknown): void {
    const nowMs = this.#clock.now();
    if (nowMs - sinceMs < LONG_MS || nowMs < this.#quietUntilMs) return;
    this.#quietUntilMs = nowMs + QUIET_MS;
    const seconds = Math.floor((nowMs - sinceMs) / 1000);
    const detail = `the store has not taken ${what} for ${seconds} s, and it is tried again (${whyOf(cause)})`;
    this.#tell(unavailable(op, detail, cause));
  }
}

/** The words of the store itself, where there are any. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ZocaloError && error.cause !== undefined) return whyOf(error.cause);
  return error instanceof ZocaloError ? error.detail : error.message;
}
