/** The clocks that bound a connection whose peer is dead, asleep or unwilling (SEMANTICS A5). */

import type { ErrorCode } from "../core/errors.ts";
import { UsageError } from "../core/errors.ts";
import type { Clock, Timer } from "./network.ts";

/** Limits of one connection. Each is in milliseconds; `Infinity` turns it off. */
export interface ConnectionLimitOptions {
  /**
   * Ends the connection with `IDLE_TIMEOUT` when no byte moved in either direction for so long. Default: off for `connect`
   * and `listen`, because a client that waits for news is idle by nature; 300000 for `serve`, because a server that keeps
   * dead peers runs out of sockets.
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Ends the connection with `WRITE_STALLED` when a write is pending and the peer took nothing for so long. Default 60000:
   * longer than a TCP retransmission pause, shorter than a user's patience.
   */
  readonly writeStallTimeoutMs?: number | undefined;
  /** Ends the connection with `LIFETIME_EXCEEDED` at this age, busy or not. Default: off. */
  readonly lifetimeMs?: number | undefined;
}

const DEFAULT_WRITE_STALL_MS = 60_000;
/** A stall is noticed at most this fraction later than promised. */
const STALL_CHECKS = 4;

/** What the limits watch. */
export interface LimitedConnection {
  readonly clock: Clock;
  readonly outbound: { readonly progress: number; readonly busy: boolean };
  expire(code: ErrorCode, detail: string): void;
}

/** The running limits of one connection. */
export class ConnectionLimits {
  readonly #subject: LimitedConnection;
  readonly #idleMs: number;
  readonly #stallMs: number;
  #movedAt = 0;
  #idleTimer: Timer | undefined;
  #stallTimer: Timer | undefined;
  #lifeTimer: Timer | undefined;

  constructor(subject: LimitedConnection, options: ConnectionLimitOptions) {
    const { clock } = subject;
    this.#subject = subject;
    this.#idleMs = limit("idleTimeoutMs", options.idleTimeoutMs, Number.POSITIVE_INFINITY);
    this.#stallMs = limit("writeStallTimeoutMs", options.writeStallTimeoutMs, DEFAULT_WRITE_STALL_MS);
    const lifetimeMs = limit("lifetimeMs", options.lifetimeMs, Number.POSITIVE_INFINITY);
    if (Number.isFinite(lifetimeMs)) {
      const detail = `the connection reached lifetimeMs (${lifetimeMs})`;
      this.#lifeTimer = clock.setTimer(() => subject.expire("LIFETIME_EXCEEDED", detail), lifetimeMs, true);
    }
    if (Number.isFinite(this.#idleMs)) {
      this.#movedAt = clock.now();
      this.#watchIdle(this.#idleMs);
    }
  }

  /** Bytes moved. */
  moved(): void {
    if (this.#idleTimer !== undefined) this.#movedAt = this.#subject.clock.now();
  }

  /** A write waits for the peer: from now on it must take something now and then. */
  blocked(): void {
    if (this.#stallTimer !== undefined || !Number.isFinite(this.#stallMs)) return;
    this.#watchStall(this.#subject.outbound.progress, this.#subject.clock.now());
  }

  /** Stops all clocks. */
  stop(): void {
    this.#idleTimer?.cancel();
    this.#stallTimer?.cancel();
    this.#lifeTimer?.cancel();
  }

  #watchIdle(delayMs: number): void {
    const check = (): void => {
      const restMs = this.#movedAt + this.#idleMs - this.#subject.clock.now();
      if (restMs > 0) this.#watchIdle(restMs);
      else this.#subject.expire("IDLE_TIMEOUT", `nothing moved on the connection for idleTimeoutMs (${this.#idleMs})`);
    };
    this.#idleTimer = this.#subject.clock.setTimer(check, delayMs, true);
  }

  #watchStall(progress: number, since: number): void {
    const check = (): void => {
      this.#stallTimer = undefined;
      if (!this.#subject.outbound.busy) return;
      const now = this.#subject.clock.now();
      const current = this.#subject.outbound.progress;
      if (current !== progress) {
        this.moved();
        this.#watchStall(current, now);
      } else if (now - since < this.#stallMs) this.#watchStall(progress, since);
      else {
        const detail = `the peer took no bytes for writeStallTimeoutMs (${this.#stallMs})`;
        this.#subject.expire("WRITE_STALLED", detail);
      }
    };
    this.#stallTimer = this.#subject.clock.setTimer(check, this.#stallMs / STALL_CHECKS, true);
  }
}

function limit(name: string, value: number | undefined, standard: number): number {
  if (value === undefined) return standard;
  if (Number.isNaN(value) || value <= 0) {
    const detail = `${name} must be a positive number of milliseconds, or Infinity for no limit, not ${value}`;
    throw new UsageError("OPTION_INVALID", { op: "open", detail });
  }
  return value;
}
