/** A timer that is moved often, as the time-out of a retransmission is for every segment. */

import type { KernelTimer } from "../kernel/packet.ts";
import type { SimEvent } from "./event-queue.ts";

/** Puts an event into the queue that is asked `due` when its moment has come. */
export type PutEvent = (atUs: number, due: () => boolean) => SimEvent;

/**
 * Its event stays where it is in the queue while the timer moves to later or is switched off, and is put back when its
 * place comes: one event for all segments of a round trip.
 */
export class MovingTimer implements KernelTimer {
  #dueUs = Number.POSITIVE_INFINITY;
  #event: SimEvent | undefined;
  readonly #put: PutEvent;
  readonly #remove: (event: SimEvent) => void;
  readonly #due: () => boolean = () => this.#isDue();

  constructor(put: PutEvent, remove: (event: SimEvent) => void) {
    this.#put = put;
    this.#remove = remove;
  }

  set(atUs: number): void {
    this.#dueUs = atUs;
    if (this.#event !== undefined && this.#event.atUs > atUs) {
      this.#remove(this.#event);
      this.#event = undefined;
    }
    if (this.#event === undefined && atUs !== Number.POSITIVE_INFINITY) this.#event = this.#put(atUs, this.#due);
  }

  cancel(): void {
    this.#dueUs = Number.POSITIVE_INFINITY;
    if (this.#event !== undefined) this.#remove(this.#event);
    this.#event = undefined;
  }

  #isDue(): boolean {
    const atUs = this.#event?.atUs ?? 0;
    this.#event = undefined;
    if (this.#dueUs <= atUs) {
      this.#dueUs = Number.POSITIVE_INFINITY;
      return true;
    }
    if (this.#dueUs !== Number.POSITIVE_INFINITY) this.#event = this.#put(this.#dueUs, this.#due);
    return false;
  }
}
