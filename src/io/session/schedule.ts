/** When the sessions of one server or client have something to do: at the end of this turn, or at a deadline. */

import { Heap, type HeapMember } from "../../core/heap.ts";
import type { Clock, Timer } from "../network/network.ts";

const DONE: Promise<void> = Promise.resolve();

/** Something with deadlines and work at the end of a turn. */
export interface Scheduled extends HeapMember {
  /** When `onDue` is to be called; Infinity for never. Only {@link SessionSchedule} changes it. */
  dueAt: number;
  /** The deadline has come; it says by `expect` when the next one is. */
  onDue(): void;
  /** The code that called `atEndOfTurn` has finished, or its turn of the event loop is over. */
  onEndOfTurn(): void;
}

/**
 * One timer and one deferred call for all sessions together: an idle session costs neither an object nor a closure here, and
 * messages to many sessions are written in one go.
 */
export class SessionSchedule {
  readonly #clock: Clock;
  readonly #heap: Heap<Scheduled> = new Heap((one, other) => one.dueAt < other.dueAt);
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #turn: Scheduled[] = [];
  /** Whether the next messages need not wait for the end of the turn. */
  #early = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `onEndOfTurn` when the code that runs now has finished, or at the end of this turn; call it once until then. */
  atEndOfTurn(one: Scheduled): void {
    if (this.#turn.push(one) > 1) return;
    if (this.#early) void DONE.then(this.#beforeEnd);
    else this.#clock.defer(this.#endTurn);
  }

  /**
   * Something came from a peer: what is sent because of it leaves as soon as the code that runs then has finished. For a
   * single call the end of the turn would be a tenth of its time. What else is sent in that turn leaves together at its end.
   */
  arrived(): void {
    this.#early = true;
  }

  /** Calls `onDue` at `dueAt`. A deadline that was moved back is looked at when the old one comes. */
  expect(one: Scheduled, dueAt: number): void {
    if (dueAt >= one.dueAt) return;
    one.dueAt = dueAt;
    this.#heap.place(one);
    if (this.#heap.first === one) this.#arm();
  }

  /** Forgets the deadline; the last one takes the timer with it. */
  forget(one: Scheduled): void {
    one.dueAt = Infinity;
    if (one.heapIndex === -1) return;
    this.#heap.remove(one);
    if (this.#heap.size === 0) this.#disarm();
  }

  readonly #beforeEnd = (): void => {
    this.#early = false;
    this.#work();
  };

  readonly #endTurn = (): void => {
    this.#early = true;
    this.#work();
  };

  #work(): void {
    const turn = this.#turn;
    this.#turn = [];
    for (const one of turn) one.onEndOfTurn();
  }

  #arm(): void {
    const { first } = this.#heap;
    if (first === undefined || first.dueAt >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = first.dueAt;
    // Sockets keep the process alive, deadlines do not.
    this.#timer = this.#clock.setTimer(this.#fire, Math.max(0, Math.ceil(first.dueAt - this.#clock.now())), true);
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  readonly #fire = (): void => {
    this.#timerAt = Infinity;
    this.#timer = undefined;
    const now = this.#clock.now();
    for (let { first } = this.#heap; first !== undefined && first.dueAt <= now; first = this.#heap.first) {
      this.forget(first);
      first.onDue();
    }
    this.#arm();
  };
}
