/** Whether the peer is still there. */

/** A timer that fires late is not the fault of the peer: after the time is up, what waits in the socket is read first. */
const GRACE_MS = 250;

/**
 * How often a peer is asked that is in the middle of a frame. Its answer can only follow the rest of that frame, and on a slow
 * line whose buffers are full, one lost packet holds that up for longer than two heartbeats.
 */
const ASKED_IN_A_FRAME = 7;

/** The peer was asked as often as it is, and has a last round to answer. */
const IN_GRACE = -1;

/** What {@link Keepalive.check} answers. */
export type KeepaliveVerdict = "fine" | "ask" | "dead";

/**
 * Asks for a sign of life after `heartbeatMs` of silence, and gives the peer up after the same time again; one that is in the
 * middle of a frame is asked more often. Before that it lets one more round pass (`GRACE_MS`), in which whatever has arrived
 * meanwhile is read: a process that was stopped or busy must not take its own delay for the peer's death.
 */
export class Keepalive {
  readonly heartbeatMs: number;
  /** When something was heard last, or the phase after that began. */
  #at: number;
  /** How often the peer was asked since, or `IN_GRACE`. */
  #asked = 0;

  constructor(heartbeatMs: number, now: number) {
    this.heartbeatMs = heartbeatMs;
    this.#at = now;
  }

  /** When bytes came last, while the peer was not asked for a sign of life. */
  get heardAt(): number {
    return this.#at;
  }

  /** When `check` has something to do; later when something is heard. */
  get deadline(): number {
    return this.#at + (this.#asked === IN_GRACE ? GRACE_MS : this.heartbeatMs);
  }

  /** Bytes came. */
  heard(now: number): void {
    this.#at = now;
    this.#asked = 0;
  }

  /**
   * Time has passed. `ask`: send a ping. `dead`: the connection is lost.
   *
   * @param inFrame - Whether a part of a frame of the peer has come.
   */
  check(now: number, inFrame = false): KeepaliveVerdict {
    if (now < this.deadline) return "fine";
    this.#at = now;
    if (this.#asked === IN_GRACE) return "dead";
    if (this.#asked < (inFrame ? ASKED_IN_A_FRAME : 1)) {
      this.#asked += 1;
      return "ask";
    }
    this.#asked = IN_GRACE;
    return "fine";
  }
}
