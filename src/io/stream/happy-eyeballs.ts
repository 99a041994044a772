/** Reaching a name that has several addresses: Happy Eyeballs version 2 (RFC 8305). */

import type { Address } from "../../core/address/address.ts";
import { ConnectError, type ErrorCode, type ZocaloError } from "../../core/errors.ts";
import { ConnectAttempts } from "./connect-attempts.ts";
import type { Network, StreamTransport, Timer } from "../network/network.ts";

/** How long IPv4 answers wait for the IPv6 ones (section 3, "Resolution Delay"). */
const RESOLUTION_DELAY_MS = 50;
/** How long one attempt may go on before the next one starts beside it (section 5, "Connection Attempt Delay"). */
const ATTEMPT_DELAY_MS = 250;

/** Codes that say more about this machine than about the peer. */
const ABOUT_THIS_SIDE: ReadonlySet<ErrorCode> = new Set([
  "NETWORK_UNREACHABLE",
  "HOST_UNREACHABLE",
  "ADDRESS_NOT_AVAILABLE",
]);

/** Makes one attempt to connect to one IP address; must obey the signal. */
export type Attempt = (address: Address, signal: AbortSignal) => Promise<StreamTransport>;

/**
 * Resolves the name of `target` in both families at once, tries the addresses one after the other with overlapping
 * attempts, and resolves with the first connection; the losing attempts are closed. Rejects with a `ConnectError` that
 * lists every attempt, or with the reason of `signal`.
 */
export function happyEyeballs(
  network: Network,
  target: Address,
  families: readonly (4 | 6)[],
  attempt: Attempt,
  signal: AbortSignal,
  attempts: ConnectAttempts = new ConnectAttempts(network.clock),
): Promise<StreamTransport> {
  return new Promise((resolve, reject) => {
    new Race(network, target, attempt, signal, attempts, resolve, reject).start(families);
  });
}

class Race {
  readonly #network: Network;
  readonly #target: Address;
  readonly #attempt: Attempt;
  readonly #signal: AbortSignal;
  readonly #resolve: (transport: StreamTransport) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #attempts: ConnectAttempts;
  readonly #running: Set<AbortController> = new Set();
  readonly #lookupErrors: ZocaloError[] = [];
  /** Addresses that were not tried yet, by family. */
  readonly #waiting: Record<4 | 6, string[]> = { 4: [], 6: [] };
  #lookups = 0;
  #nextFamily: 4 | 6 = 6;
  #timer: Timer | undefined;
  #over = false;

  constructor(
    network: Network,
    target: Address,
    attempt: Attempt,
    signal: AbortSignal,
    attempts: ConnectAttempts,
    resolve: (transport: StreamTransport) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#network = network;
    this.#target = target;
    this.#attempt = attempt;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#attempts = attempts;
  }

  start(families: readonly (4 | 6)[]): void {
    this.#signal.addEventListener("abort", this.#aborted, { once: true });
    this.#lookups = families.length;
    for (const family of families) {
      this.#network.sockets.resolve(this.#target.host, family).then(
        (addresses) => this.#resolved(family, addresses),
        (error: ZocaloError) => {
          this.#lookupErrors.push(error);
          this.#resolved(family, []);
        },
      );
    }
  }

  #resolved(family: 4 | 6, addresses: readonly string[]): void {
    if (this.#over) return;
    this.#lookups -= 1;
    this.#waiting[family].push(...addresses);
    const begun = this.#running.size > 0 || this.#attempts.failed.length > 0;
    // Section 3: an IPv4 answer that comes first waits a little for the IPv6 one.
    const early = !begun && family === 4 && this.#lookups > 0 && addresses.length > 0;
    if (early) this.#nextAfter(RESOLUTION_DELAY_MS);
    // Section 5: while an attempt has not had its time, a later answer only joins those that wait.
    else if (!begun || this.#timer === undefined) this.#next();
  }

  #nextAfter(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#network.clock.setTimer(() => this.#next(), delayMs);
  }

  /** Starts the next attempt; ends the race when there is none and nothing is under way. */
  #next(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const host = this.#take();
    if (host === undefined) {
      if (this.#running.size === 0 && this.#lookups === 0) this.#fail();
      return;
    }
    const address = this.#target.with({ host });
    const controller = new AbortController();
    this.#running.add(controller);
    this.#nextAfter(ATTEMPT_DELAY_MS);
    const { signal } = controller;
    this.#attempts
      .run(address, signal, () => this.#attempt(address, signal))
      .then(
        (transport) => this.#connected(transport, controller),
        () => {
          this.#running.delete(controller);
          if (!this.#over) this.#next();
        },
      );
  }

  /** Section 4: the families take turns, beginning with IPv6. */
  #take(): string | undefined {
    const other = this.#nextFamily === 6 ? 4 : 6;
    const family = this.#waiting[this.#nextFamily].length > 0 ? this.#nextFamily : other;
    this.#nextFamily = family === 6 ? 4 : 6;
    return this.#waiting[family].shift();
  }

  #connected(transport: StreamTransport, controller: AbortController): void {
    this.#running.delete(controller);
    if (this.#over) transport.destroy();
    else {
      this.#finish();
      this.#resolve(transport);
    }
  }

  #fail(): void {
    this.#finish();
    const attempts = this.#attempts.failed;
    const first = attempts.find((entry) => !ABOUT_THIS_SIDE.has(entry.error.code)) ?? attempts[0];
    const remote = this.#target.toString();
    if (first === undefined) {
      const error = this.#lookupErrors.find((entry) => entry.code !== "NAME_NOT_FOUND") ?? this.#lookupErrors[0];
      const { code = "NAME_NOT_FOUND", detail, side } = error ?? {};
      this.#reject(new ConnectError(code, { op: "connect", detail, side, remote, cause: error?.cause ?? error }));
      return;
    }
    const { code, detail, side, cause } = first.error;
    const tried = attempts.length === 1 ? "" : ` (tried ${attempts.map((entry) => entry.address).join(", ")})`;
    this.#reject(new ConnectError(code, { op: "connect", remote, detail: detail + tried, side, cause, attempts }));
  }

  readonly #aborted = (): void => {
    this.#finish();
    this.#reject(this.#signal.reason);
  };

  #finish(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#signal.removeEventListener("abort", this.#aborted);
    for (const controller of this.#running) controller.abort();
  }
}
