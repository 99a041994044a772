/** Whether the peer is still there. */

/** A timer that fires late is not the fault of the peer: after the time is up, what waits in the socket is read first. */
const GRACE_MS = 250;

/** What {@link Keepalive.check} answers. */
export type KeepaliveVerdict = "fine" | "ask" | "dead";

/**
 * Asks for a sign of life after `heartbeatMs` of silence, and gives the peer up after the same time again. Before that it
 * lets one more round pass (`GRACE_MS`), in which whatever has arrived meanwhile is read: a process that was stopped or
 * busy must not take its own delay for the peer's death.
 */
export class Keepalive {
  readonly #heartbeatMs: number;
  /** When something was heard last, or the phase after that began. */
  #at: number;
  #phase: "quiet" | "asked" | "grace" = "quiet";

  constructor(heartbeatMs: number, now: number) {
    this.#heartbeatMs = heartbeatMs;
    this.#at = now;
  }

  /** When bytes came last, while the peer was not asked for a sign of life. */
  get heardAt(): number {
    return this.#at;
  }

  /** When `check` has something to do; later when something is heard. */
  get deadline(): number {
    return this.#at + (this.#phase === "grace" ? GRACE_MS : this.#heartbeatMs);
  }

  /** Bytes came. */
  heard(now: number): void {
    this.#at = now;
    this.#phase = "quiet";
  }

  /** Time has passed. `ask`: send a ping. `dead`: the connection is lost. */
  check(now: number): KeepaliveVerdict {
    if (now < this.deadline) return "fine";
    const phase = this.#phase;
    this.#at = now;
    if (phase === "quiet") {
      this.#phase = "asked";
      return "ask";
    }
    this.#phase = "grace";
    return phase === "grace" ? "dead" : "fine";
  }
}
