/** One life of a host's program: what it is told, and when. */

import type { RandomStream } from "../../core/faults/random-stream.ts";
import type { Clock, Random, Timer } from "../../io/network/network.ts";
import type { CertificateFault } from "../../core/faults/fault.ts";
import { runInScope, type Scope } from "../guard/scope.ts";
import { type Scheduler, SHORTEST_TIMER_US } from "../time/scheduler.ts";

const MICROSECONDS = 1000;

/** A program that runs on a host, from its start to its end, its crash, or the end of the world. */
export class Process {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** What is wrong with the certificates that this program shows. */
  certificateFault: CertificateFault | undefined;
  readonly #scope: Scope;
  readonly #flow: number;
  #alive = true;
  #paused = false;
  readonly #held: (() => void)[] = [];
  /** Timers that are set, with their moments. */
  readonly #timers = new Set<{ readonly dueUs: number }>();
  readonly #onZombie: () => void;

  /** `skewUs`: how far the host's clock is ahead. `onZombie` is told of calls that come after the end. */
  constructor(
    scheduler: Scheduler,
    scope: Scope,
    stream: RandomStream,
    skewUs: () => number = () => 0,
    onZombie: () => void = () => undefined,
  ) {
    this.#onZombie = onZombie;
    this.scheduler = scheduler;
    this.#scope = scope;
    this.#flow = scheduler.newFlow();
    this.random = { next: () => stream.fraction(), bytes: (count) => stream.bytes(count) };
    this.clock = {
      now: () => (scheduler.nowUs + skewUs()) / MICROSECONDS,
      setTimer: (callback, delayMs) => this.#setTimer(callback, delayMs),
      defer: (callback) => void scheduler.last(() => this.run(callback)),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Whether the program stands still, and how many wake-ups wait for it. */
  get paused(): boolean {
    return this.#paused;
  }
  get heldWakes(): number {
    return this.#held.length;
  }

  /** When the timers of the program are due, in microseconds, the next one first. */
  get timersUs(): readonly number[] {
    return [...this.#timers].map(({ dueUs }) => dueUs).sort((a, b) => a - b);
  }

  /** Runs program code now, or when the program runs again; never when its life is over. */
  run(action: () => void): void {
    if (!this.#alive) return;
    if (this.#paused) {
      this.#held.push(action);
      return;
    }
    this.scheduler.woke();
    runInScope(this.#scope, action);
  }

  /** Runs program code in an event of its own, at this moment; events of one flow keep their order. */
  wake(flow: number, action: () => void): void {
    this.scheduler.at(this.scheduler.nowUs, flow, () => this.run(action));
  }

  /** A call of the program: true when its life is over, so that the call must never settle. */
  isZombie(): boolean {
    if (!this.#alive) this.#onZombie();
    return !this.#alive;
  }

  /** Stops the program; its kernel goes on. */
  pause(): void {
    this.#paused = true;
  }

  /** Lets the program go on with what it missed. */
  resume(): void {
    this.#paused = false;
    for (const action of this.#held.splice(0)) this.wake(this.#flow, action);
  }

  /** Ends this life: nothing of it runs any more. */
  end(): void {
    this.#alive = false;
    this.#held.length = 0;
    this.#timers.clear();
  }

  #setTimer(callback: () => void, delayMs: number): Timer {
    if (this.isZombie() || delayMs === Number.POSITIVE_INFINITY) return { cancel: () => undefined };
    const delayUs = Math.max(SHORTEST_TIMER_US, Math.ceil(delayMs * MICROSECONDS));
    const timer = { dueUs: this.scheduler.nowUs + delayUs };
    this.#timers.add(timer);
    const fire = (): void => {
      if (this.#timers.delete(timer)) callback();
    };
    const event = this.scheduler.at(timer.dueUs, this.scheduler.newFlow(), () => this.run(fire));
    return {
      cancel: () => {
        this.#timers.delete(timer);
        this.scheduler.cancel(event);
      },
    };
  }
}
