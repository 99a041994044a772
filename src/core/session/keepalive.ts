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
  #deadline: number;
  #phase: "quiet" | "asked" | "grace" = "quiet";

  constructor(heartbeatMs: number, now: number) {
    this.#heartbeatMs = heartbeatMs;
    this.#heardAt = now;
    this.#deadline = now + heartbeatMs;
  }

  /** When `check` has something to do. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Bytes came. */
  heard(now: number): void {
    this.#heardAt = now;
    if (this.#phase === "quiet") return;
    this.#phase = "quiet";
    this.#deadline = now + this.#heartbeatMs;
  }

  /** Time has passed. `ask`: send a ping. `dead`: the connection is lost. */
  check(now: number): KeepaliveVerdict {
    if (now < this.#deadline) return "fine";
    if (this.#phase === "quiet") {
      // Hearing something does not move the deadline each time; it is looked up here.
      this.#deadline = this.#heardAt + this.#heartbeatMs;
      if (now < this.#deadline) return "fine";
      this.#phase = "asked";
      this.#deadline = now + this.#heartbeatMs;
      return "ask";
    }
    if (this.#phase === "grace") return "dead";
    this.#phase = "grace";
    this.#deadline = now + GRACE_MS;
    return "fine";
  }
}
