/** Moves the virtual time: one event after the other, and only when no task of a program can run. */

import { mix32 } from "../../core/faults/random-stream.ts";
import { type EventOwner, EventQueue, MovingTimer, type SimEvent } from "./event-queue.ts";
import { nextRealTurn, RealSteps } from "./real-turn.ts";
import type { RealWork } from "./real-work.ts";

/** Events without program code between two looks at the real event loop. */
const EVENTS_A_STEP = 2048;
/** So many turns of the real event loop must bring nothing before a world counts as stuck. */
const IDLE_TURNS = 3;
/** A timer of 0 ms takes so long; one that sets itself again and again lets time pass, but nothing else. */
export const SHORTEST_TIMER_US = 1;
/** Behind all events of the same moment. */
const LAST = 0x1_0000_0000;

/** What ends a run that has no end of its own. */
interface SchedulerWatch {
  /** Nothing can happen any more. */
  deadlock(): Error;
  /** So many events happened at one moment, or at moments that lie no further apart than the shortest timer. */
  livelock(events: number): Error;
  /** The virtual time ran out. */
  tooLong(): Error;
  /** Virtual time stood still until real work of these kinds was done. */
  frozen(kinds: readonly string[]): void;
}

/** Limits of a run. */
export interface SchedulerLimits {
  /** Most events in a row that move the time by no more than the shortest timer each. */
  readonly livelockEvents: number;
  /** Most virtual time, in microseconds. */
  readonly limitUs: number;
  /** Permutes the events of one moment, never those of one flow; undefined leaves them first come first served. */
  readonly permutation: number | undefined;
}

/** The scheduler of one world. */
export class Scheduler {
  /** Virtual time: whole microseconds since the world began. */
  nowUs = 0;
  /** Events that have happened. */
  events = 0;
  readonly #queue = new EventQueue();
  readonly #limits: SchedulerLimits;
  readonly #work: RealWork;
  readonly #watch: SchedulerWatch;
  #eventsNow = 0;
  #woke = false;
  #idleTurns = 0;
  #flows = 0;
  #done: () => boolean = () => true;
  #finish: ((error?: unknown) => void) | undefined;
  readonly #step: () => void = () => this.#run();
  readonly #steps = new RealSteps(this.#step);

  constructor(limits: SchedulerLimits, work: RealWork, watch: SchedulerWatch) {
    this.#limits = limits;
    this.#work = work;
    this.#watch = watch;
  }

  /** A number for a new flow: events of one flow keep their order. */
  newFlow(): number {
    this.#flows += 1;
    return this.#flows;
  }

  /** Lets `action` happen at a moment, which is now at the earliest. */
  at(atUs: number, flow: number, action: () => void, owner?: EventOwner): SimEvent {
    const { permutation } = this.#limits;
    const whenUs = atUs > this.nowUs ? atUs : this.nowUs;
    const order = permutation === undefined ? 0 : mix32(mix32(permutation ^ whenUs) + flow);
    return this.#queue.push(whenUs, order, action, owner);
  }

  /** A timer of a flow, for an action whose moment moves often. */
  timer(flow: number, action: () => void): MovingTimer {
    return new MovingTimer(this, flow, action);
  }

  /** Lets `action` happen at this moment, behind everything else that happens now. */
  last(action: () => void): SimEvent {
    return this.#queue.push(this.nowUs, LAST, action);
  }

  cancel(event: SimEvent): void {
    this.#queue.cancel(event);
  }

  /** Says that a program may have something to do now: it must come to rest before the next event. */
  woke(): void {
    this.#woke = true;
  }

  /** Lets events happen until `done`; rejects with what ended the run. */
  run(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#done = done;
      this.#finish = (error) => {
        this.#finish = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#afterTicks();
    });
  }

  /** Ends the run with an error. */
  fail(error: unknown): void {
    this.#finish?.(error);
  }

  #run(): void {
    for (let count = 0; count < EVENTS_A_STEP; count += 1) {
      if (this.#finish === undefined || this.#stopsHere()) return;
      const next = this.#queue.pop();
      if (next === undefined) return this.#idle();
      this.#idleTurns = 0;
      this.#happen(next);
      if (this.#woke) return this.#afterTicks();
    }
    nextRealTurn(this.#step);
  }

  /** The run is over, or real work is under way. */
  #stopsHere(): boolean {
    if (this.#done()) {
      this.#finish?.();
      return true;
    }
    if (this.#work.pending().length === 0) {
      const kinds = this.#work.takeDone();
      if (kinds.length > 0) this.#watch.frozen(kinds);
      return false;
    }
    // What is done continues its program in this turn of the event loop; the next one sees it at rest.
    this.#work.whenDone(() => nextRealTurn(this.#step));
    return true;
  }

  #happen({ atUs, action }: SimEvent): void {
    const stepUs = atUs - this.nowUs;
    this.events += 1;
    this.#eventsNow = stepUs > SHORTEST_TIMER_US ? 0 : this.#eventsNow + 1;
    if (this.#eventsNow > this.#limits.livelockEvents) return this.fail(this.#watch.livelock(this.#eventsNow));
    if (stepUs > 0) {
      this.nowUs = atUs;
      if (atUs > this.#limits.limitUs) return this.fail(this.#watch.tooLong());
    }
    try {
      action();
    } catch (error) {
      this.fail(error);
    }
  }

  #idle(): void {
    this.#idleTurns += 1;
    if (this.#idleTurns > IDLE_TURNS) this.fail(this.#watch.deadlock());
    else nextRealTurn(this.#step);
  }

  /** Goes on when all microtasks and ticks have run, and those that they queue. */
  #afterTicks(): void {
    this.#woke = false;
    this.#steps.next();
  }
}
