/** The clocks that bound a connection whose peer is dead, asleep or unwilling (docs/semantics.md, rule A5). */

import type { ErrorCode } from "../../core/errors.ts";
import type { ConnectionSettings } from "./settings.ts";
import type { Clock, Timer } from "../network/network.ts";

/** A stall is noticed at most this fraction later than promised. */
const STALL_CHECKS = 4;

/** What the limits watch. */
export interface LimitsOwner {
  readonly settings: ConnectionSettings;
  readonly outbound: { readonly progress: number; readonly busy: boolean };
  expire(code: ErrorCode, detail: string): void;
}

/** The running limits of one connection. */
export class ConnectionLimits {
  readonly #owner: LimitsOwner;
  readonly #clock: Clock;
  #idleMs = Number.POSITIVE_INFINITY;
  readonly #stallMs: number;
  #movedAt = 0;
  /** How far the writes were when it was looked at last. */
  #progress = 0;
  #idleTimer: Timer | undefined;
  #stallTimer: Timer | undefined;
  #lifeTimer: Timer | undefined;

  constructor(owner: LimitsOwner, clock: Clock) {
    const { settings } = owner;
    this.#owner = owner;
    this.#clock = clock;
    this.#stallMs = settings.writeStallMs;
    const { lifetimeMs } = settings;
    if (Number.isFinite(lifetimeMs)) {
      const detail = `the connection reached timeouts.lifetimeMs (${lifetimeMs})`;
      this.#lifeTimer = clock.setTimer(() => owner.expire("LIFETIME_EXCEEDED", detail), lifetimeMs, true);
    }
    this.idleMs = settings.idleMs;
  }

  /** How long nothing may move, from now on. */
  set idleMs(idleMs: number) {
    this.#idleMs = idleMs;
    this.#idleTimer?.cancel();
    this.#idleTimer = undefined;
    if (!Number.isFinite(idleMs)) return;
    this.#movedAt = this.#clock.now();
    this.#watchIdle(idleMs);
  }

  /** Bytes moved. */
  moved(): void {
    if (this.#idleTimer !== undefined) this.#movedAt = this.#clock.now();
  }

  /** A write waits for the peer: from now on it must take something now and then. */
  blocked(): void {
    this.moved();
    this.#progress = this.#owner.outbound.progress;
    if (this.#stallTimer !== undefined || !Number.isFinite(this.#stallMs)) return;
    this.#watchStall(this.#owner.outbound.progress, this.#clock.now());
  }

  /** Stops all clocks. */
  stop(): void {
    this.#idleTimer?.cancel();
    this.#stallTimer?.cancel();
    this.#lifeTimer?.cancel();
  }

  #watchIdle(delayMs: number): void {
    const check = (): void => {
      this.#look();
      const restMs = this.#movedAt + this.#idleMs - this.#clock.now();
      if (restMs > 0) this.#watchIdle(restMs);
      else this.#owner.expire("IDLE_TIMEOUT", `nothing moved on the connection for timeouts.idleMs (${this.#idleMs})`);
    };
    this.#idleTimer = this.#clock.setTimer(check, delayMs, true);
  }

  /** What the peer takes of a write that waits is no call of the program: nobody tells of it. */
  #look(): void {
    const { busy, progress } = this.#owner.outbound;
    if (!busy || progress === this.#progress) return;
    this.#progress = progress;
    this.moved();
  }

  #watchStall(progress: number, since: number): void {
    const check = (): void => {
      this.#stallTimer = undefined;
      if (!this.#owner.outbound.busy) return;
      const now = this.#clock.now();
      const current = this.#owner.outbound.progress;
      if (current !== progress) {
        this.#look();
        this.#watchStall(current, now);
      } else if (now - since < this.#stallMs) this.#watchStall(progress, since);
      else {
        const detail = `the peer took no bytes for timeouts.writeStallMs (${this.#stallMs})`;
        this.#owner.expire("WRITE_STALLED", detail);
      }
    };
    this.#stallTimer = this.#clock.setTimer(check, this.#stallMs / STALL_CHECKS, true);
  }
}
