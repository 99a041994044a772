/** What peers do wrong, as the program is told of it. */

import { type ProtocolError, ZocaloError } from "../../core/errors.ts";
import { peerError } from "../../core/peer-error.ts";
import type { Clock, Timer } from "../network/network.ts";
import type { OperationContext } from "./deadline.ts";
import { type DiagnosticEvent, publish } from "./diagnostics.ts";

/** So many are told one by one in a second: enough to see what is wrong, and no work to speak of. */
const TOLD_IN_A_SECOND = 100;
const SECOND_MS = 1000;

/**
 * Decides which problems of peers are told one by one. Telling one costs more than sending what causes it, so of many only the
 * first are; the others are counted, and the number is told at the end of the second.
 */
export class PeerProblems {
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #tell: (error: ProtocolError) => void;
  /** Runs for a second from the first problem on. */
  #second: Timer | undefined;
  #told = 0;
  #untold = 0;

  /** @param tell - Is given the number of those that were not told one by one, as an error. */
  constructor(clock: Pick<Clock, "setTimer">, tell: (error: ProtocolError) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** One more; answers whether it is to be told by itself. */
  admit(): boolean {
    if (this.#told >= TOLD_IN_A_SECOND) {
      this.count();
      return false;
    }
    this.#begin();
    this.#told += 1;
    return true;
  }

  /** One more that is not to be told by itself. */
  count(): void {
    this.#begin();
    this.#untold += 1;
  }

  /** Nothing follows: tells the number of now. */
  close(): void {
    this.#second?.cancel();
    this.#endSecond();
  }

  #begin(): void {
    this.#second ??= this.#clock.setTimer(this.#endSecond, SECOND_MS, true);
  }

  readonly #endSecond = (): void => {
    const untold = this.#untold;
    this.#second = undefined;
    this.#told = this.#untold = 0;
    if (untold === 0) return;
    const detail = `${untold} more problems of peers within a second were not reported one by one`;
    this.#tell(peerError("FRAME_INVALID", { op: "receive", detail }));
  };
}

/**
 * The `onError` of a server or a client: told of what nobody awaits. `source` is what the error came from; undefined where that
 * is nothing that the program knows. What it throws, or rejects with, goes to the channel `zocalo:error`.
 */
export type OnError<Source> = (error: unknown, source: Source | undefined) => unknown;

/**
 * Whether an error of a handler says only that its own connection, socket or session was closed, or that its server is closing:
 * that is in order, and no news to anybody. The same error of another one is news.
 *
 * @param place - The addresses of its own.
 */
export function isOrderlyEnd(error: unknown, place: Omit<OperationContext, "op">, draining?: AbortSignal): boolean {
  return (draining?.aborted === true && error === draining.reason) || errorOf(error, place)?.code === "CLOSED";
}

/** What a handler threw, if it is an error of this package that names these addresses, or none. */
export function errorOf(error: unknown, place: Omit<OperationContext, "op">): ZocaloError | undefined {
  try {
    if (!(error instanceof ZocaloError)) return undefined;
    const { local = place.local, remote = place.remote } = error;
    return local === place.local && remote === place.remote ? error : undefined;
  } catch {
    // A proxy that does not let itself be looked at, or that is revoked.
    return undefined;
  }
}

/** Calls a function of the program. What it throws, or its promise rejects with, goes to `onFailure`. */
export function callProgram(callback: () => unknown, onFailure: (error: unknown) => void): void {
  // Awaited, so that an async function cannot end the process either.
  const called = async (): Promise<void> => {
    await callback();
  };
  called().catch(onFailure);
}

/** Publishes an error that nobody awaits on `zocalo:error`, and calls `onError` with it; what that throws is published too. */
export function reportProblem(
  error: unknown,
  place: Pick<DiagnosticEvent, "kind" | "local" | "remote">,
  onError: () => unknown,
): void {
  const { kind, local, remote } = place;
  const tell = (problem: unknown): void => {
    publish("error", () => ({ kind, local, remote, error: problem }));
  };
  tell(error);
  callProgram(onError, tell);
}
