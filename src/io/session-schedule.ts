/** When the sessions of one server or client have something to do: at the end of this turn, or at a deadline. */

import type { Clock, Timer } from "./network.ts";

const DONE: Promise<void> = Promise.resolve();

/** Something with deadlines and work at the end of a turn. */
export interface Scheduled {
  /** When `onDue` is to be called; Infinity for never. Only {@link SessionSchedule} changes it. */
  dueAt: number;
  /** Its place in the heap; -1 when it has none. Only {@link SessionSchedule} changes it. */
  heapIndex: number;
  /** The deadline has come; it says by `expect` when the next one is. */
  onDue(): void;
  /** The code that called `atEndOfTurn` has finished, or its turn of the event loop is over. */
  onEndOfTurn(): void;
}

/**
 * One timer and one deferred call for all sessions together: an idle session costs neither an object nor a closure here, and
 * messages to many sessions are written in one go. The deadlines are a binary heap.
 */
export class SessionSchedule {
  readonly #clock: Clock;
  readonly #heap: Scheduled[] = [];
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
    if (one.heapIndex === -1) one.heapIndex = this.#heap.push(one) - 1;
    this.#up(one.heapIndex);
    if (this.#heap[0] === one) this.#arm();
  }

  /** Forgets the deadline; the last one takes the timer with it. */
  forget(one: Scheduled): void {
    const index = one.heapIndex;
    one.dueAt = Infinity;
    if (index === -1) return;
    one.heapIndex = -1;
    const last = this.#heap.pop() as Scheduled;
    if (this.#heap.length === 0) this.#disarm();
    if (last === one) return;
    this.#put(last, index);
    this.#up(index);
    this.#down(last.heapIndex);
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
    const first = this.#heap[0];
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
    for (let first = this.#heap[0]; first !== undefined && first.dueAt <= now; first = this.#heap[0]) {
      this.forget(first);
      first.onDue();
    }
    this.#arm();
  };

  #up(from: number): void {
    let index = from;
    const one = this.#heap[index] as Scheduled;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#heap[parent] as Scheduled;
      if (above.dueAt <= one.dueAt) break;
      this.#put(above, index);
      index = parent;
    }
    this.#put(one, index);
  }

  #down(from: number): void {
    let index = from;
    const one = this.#heap[index] as Scheduled;
    for (;;) {
      const left = index * 2 + 1;
      const right = left + 1;
      let least = one;
      let at = index;
      for (const child of [left, right]) {
        const below = this.#heap[child];
        if (below !== undefined && below.dueAt < least.dueAt) {
          least = below;
          at = child;
        }
      }
      if (at === index) break;
      this.#put(least, index);
      index = at;
    }
    this.#put(one, index);
  }

  #put(one: Scheduled, index: number): void {
    this.#heap[index] = one;
    one.heapIndex = index;
  }
}
