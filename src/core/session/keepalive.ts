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
  #heardAt: number;
  /** When the phase began; hearing something in `quiet` does not move it each time. */
  #since: number;
  #phase: "quiet" | "asked" | "grace" = "quiet";

  constructor(heartbeatMs: number, now: number) {
    this.#heartbeatMs = heartbeatMs;
    this.#heardAt = now;
    this.#since = now;
  }

  /** When `check` has something to do. */
  get deadline(): number {
    return this.#since + (this.#phase === "grace" ? GRACE_MS : this.#heartbeatMs);
  }

  /** Bytes came. */
  heard(now: number): void {
    this.#heardAt = now;
    if (this.#phase === "quiet") return;
    this.#phase = "quiet";
    this.#since = now;
  }

  /** Time has passed. `ask`: send a ping. `dead`: the connection is lost. */
  check(now: number): KeepaliveVerdict {
    if (now < this.deadline) return "fine";
    if (this.#phase === "quiet") {
      this.#since = this.#heardAt;
      if (now < this.deadline) return "fine";
      this.#phase = "asked";
      this.#since = now;
      return "ask";
    }
    if (this.#phase === "grace") return "dead";
    this.#phase = "grace";
    this.#since = now;
    return "fine";
  }
}
