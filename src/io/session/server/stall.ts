/** A store that is away for longer than sessions should wait for it: their clients are sent away, and may find a server that has it. */

import type { Clock, Timer } from "../../network/network.ts";
import type { SessionEndpoint } from "../endpoint/endpoint.ts";

/** Clients come back at 2,000 a second, unless the program says otherwise. */
export const SPREAD_MS_PER_SESSION = 0.5;
/** While the store is away it is asked again after so long. */
const PROBE_MS = 1000;

/** The server whose journal it is. */
export interface StallOwner {
  readonly clock: Clock;
  /** The store is away when nothing was written for so long, in milliseconds, while something was to be. */
  readonly stallMs: number;
  /** Writes something of no meaning; answers whether that went well. */
  probe(): Promise<boolean>;
  /** It is away. */
  away(): void;
}

/** Watches the writes of all sessions of a server. */
export class JournalStall {
  /** Whether the store is away. */
  isAway = false;
  readonly #owner: StallOwner;
  /** Writes that have begun and not ended. */
  #underWay = 0;
  #writtenAt = 0;
  #timer: Timer | undefined;
  #isLooking = false;
  #isOver = false;

  constructor(owner: StallOwner) {
    this.#owner = owner;
  }

  /** A write begins. */
  began(): void {
    if (this.#underWay === 0) this.#writtenAt = this.#owner.clock.now();
    this.#underWay += 1;
    this.#lookIn(this.#owner.stallMs);
  }

  /** It has ended. */
  ended(isWritten: boolean): void {
    this.#underWay -= 1;
    if (isWritten) this.#isThere();
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  #isThere(): void {
    this.isAway = false;
    this.#writtenAt = this.#owner.clock.now();
  }

  #lookIn(ms: number): void {
    if (this.#isLooking || this.#isOver || ms === Infinity) return;
    this.#timer ??= this.#owner.clock.setTimer(() => void this.#look(), ms, true);
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#isLooking = true;
    const pauseMs = await this.#check();
    this.#isLooking = false;
    if (this.isAway || this.#underWay > 0) this.#lookIn(pauseMs);
  }

  /** Answers when to look again. */
  async #check(): Promise<number> {
    const { clock, stallMs } = this.#owner;
    const waitedMs = clock.now() - this.#writtenAt;
    if (!this.isAway && (this.#underWay === 0 || waitedMs < stallMs)) return stallMs - waitedMs;
    // One session whose record cannot be written is no reason to send all away.
    if (await this.#owner.probe()) {
      this.#isThere();
      return stallMs;
    }
    if (!this.isAway && !this.#isOver) {
      this.isAway = true;
      this.#owner.away();
    }
    return PROBE_MS;
  }
}

/** The client comes back after a while, here or at another server. The session goes on meanwhile; nothing more is received. */
export function sendAside(endpoint: SessionEndpoint, retryAfterMs: number): void {
  endpoint.machine.goAway(true, retryAfterMs);
  endpoint.pump();
  endpoint.disconnect(false);
}
