/** What one `connect` has tried: the addresses, when, and what became of each. */

import type { Address } from "../../core/address/address.ts";
import { type ConnectAttempt, ConnectError, TimeoutError, ZocaloError } from "../../core/errors.ts";
import type { OperationContext } from "../operation/deadline.ts";
import type { Clock } from "../network/network.ts";

/** One attempt. */
interface Entry {
  readonly address: string;
  readonly startedAt: number;
  /** `connected`: what still runs is the handshake of TLS. */
  state: "connecting" | "connected" | "given up" | ZocaloError;
}

/** The attempts of one call, in their order. Those of `retry` begin a new list each time. */
export class ConnectAttempts {
  readonly #clock: Clock;
  readonly #calledAt: number;
  #entries: Entry[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#calledAt = clock.now();
  }

  /** Forgets the attempts so far: everything is tried again. */
  restart(): void {
    this.#entries = [];
  }

  /** Does one attempt; what is thrown is a `ZocaloError`, or the reason of a signal that gave it up. */
  async run<T>(address: Address, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    const entry: Entry = { address: address.toString(), startedAt: this.#clock.now(), state: "connecting" };
    this.#entries.push(entry);
    try {
      const made = await attempt();
      entry.state = "connected";
      return made;
    } catch (error) {
      if (signal.aborted) {
        entry.state = "given up";
        throw error;
      }
      entry.state =
        error instanceof ZocaloError ? error : new ConnectError("SYSTEM_ERROR", { op: "connect", cause: error });
      throw entry.state;
    }
  }

  /** The attempt that connected has failed all the same, in the handshake of TLS. */
  failedLater(error: ZocaloError): void {
    for (const entry of this.#entries) if (entry.state === "connected") entry.state = error;
  }

  /** Those that failed. */
  get failed(): ConnectAttempt[] {
    return this.#entries.flatMap(({ address, startedAt, state }) =>
      state instanceof ZocaloError ? [{ address, startedAfterMs: startedAt - this.#calledAt, error: state }] : [],
    );
  }

  /** The error of the call when its time is over: it lists what was tried, what is under way included. */
  timedOut(timeoutMs: number, context: OperationContext): TimeoutError {
    const now = this.#clock.now();
    for (const entry of this.#entries) {
      const { state, startedAt, address: remote } = entry;
      if (state !== "connecting" && state !== "connected") continue;
      const what = state === "connecting" ? "no answer" : "connected, but the TLS handshake did not finish";
      const detail = `${what} within ${Math.round(now - startedAt)} ms`;
      entry.state = new TimeoutError("TIMEOUT", { op: "connect", remote, detail, outcome: "none" });
    }
    const attempts = this.failed;
    const detail = `not finished within ${timeoutMs} ms; ${toldBy(attempts)}`;
    return new TimeoutError("TIMEOUT", { ...context, detail, outcome: "none", attempts });
  }
}

function toldBy(attempts: readonly ConnectAttempt[]): string {
  if (attempts.length === 0) return "the name service has not answered; give it more time or try again";
  const tried = attempts.map(
    ({ address, error }) => `${address} (${error.code === "TIMEOUT" ? error.detail : error.code})`,
  );
  return `give it more time or try again; tried ${tried.join(", ")}`;
}
