/** A timer that is moved often, as the time-out of a retransmission is for every segment. */

import type { KernelTimer } from "../kernel/packet.ts";
import type { EventOwner, SimEvent } from "./event-queue.ts";

/** Where a timer puts its events. */
export interface TimerQueue {
  at(atUs: number, flow: number, action: () => void, owner: EventOwner): SimEvent;
  cancel(event: SimEvent): void;
}

/**
 * Its event stays where it is in the queue while the timer moves to later or is switched off, and is put back when its
 * place comes: one event for all segments of a round trip.
 */
export class MovingTimer implements KernelTimer, EventOwner {
  #dueUs = Number.POSITIVE_INFINITY;
  #event: SimEvent | undefined;
  readonly #queue: TimerQueue;
  readonly #flow: number;
  readonly #action: () => void;

  constructor(queue: TimerQueue, flow: number, action: () => void) {
    this.#queue = queue;
    this.#flow = flow;
    this.#action = action;
  }

  set(atUs: number): void {
    this.#dueUs = atUs;
    if (this.#event !== undefined && this.#event.atUs > atUs) {
      this.#queue.cancel(this.#event);
      this.#event = undefined;
    }
    if (this.#event === undefined && atUs !== Number.POSITIVE_INFINITY) this.#put();
  }

  cancel(): void {
    this.#dueUs = Number.POSITIVE_INFINITY;
    if (this.#event !== undefined) this.#queue.cancel(this.#event);
    this.#event = undefined;
  }

  isDue(): boolean {
    const atUs = this.#event?.atUs ?? 0;
    this.#event = undefined;
    if (this.#dueUs <= atUs) {
      this.#dueUs = Number.POSITIVE_INFINITY;
      return true;
    }
    if (this.#dueUs !== Number.POSITIVE_INFINITY) this.#put();
    return false;
  }

  #put(): void {
    this.#event = this.#queue.at(this.#dueUs, this.#flow, this.#action, this);
  }
}
