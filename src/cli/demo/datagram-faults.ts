/** What the relay of the demo does to datagrams. Decided by a seed and by the order of arrival, never by time. */

import type { SeededRandom } from "./random.ts";

/** How often, in one thousand datagrams. */
const DROP_PER_MILLE = 50;
const DOUBLE_PER_MILLE = 10;
const REORDER_PER_MILLE = 20;

/** A datagram that is held back is overtaken by so many others. */
const MOST_OVERTAKING = 4;

/** What was done so far. */
export interface DatagramFaultReport {
  readonly taken: number;
  readonly forwarded: number;
  readonly dropped: number;
  readonly doubled: number;
  readonly reordered: number;
}

interface Held {
  readonly data: Buffer;
  /** Datagrams that must still pass before it. */
  overtakers: number;
  /** Whether one has. */
  passed: boolean;
}

/** Decides for datagram after datagram what is sent on. */
export class DatagramFaults {
  readonly #random: SeededRandom;
  #held: Held[] = [];
  #taken = 0;
  #forwarded = 0;
  #dropped = 0;
  #doubled = 0;
  #reordered = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** One datagram arrived: what is to be sent on now, in this order. */
  take(data: Buffer): readonly Buffer[] {
    this.#taken += 1;
    const roll = this.#random.below(1000);
    const overtakers = this.#random.between(1, MOST_OVERTAKING);
    if (roll < DROP_PER_MILLE) {
      this.#dropped += 1;
      return [];
    }
    if (roll >= DROP_PER_MILLE + DOUBLE_PER_MILLE && roll < DROP_PER_MILLE + DOUBLE_PER_MILLE + REORDER_PER_MILLE) {
      this.#held.push({ data, overtakers, passed: false });
      return [];
    }
    const doubled = roll >= DROP_PER_MILLE && roll < DROP_PER_MILLE + DOUBLE_PER_MILLE;
    if (doubled) this.#doubled += 1;
    const out = [...(doubled ? [data, data] : [data]), ...this.#overtaken()];
    this.#forwarded += out.length;
    return out;
  }

  /** No more datagrams will come: those that are still held back. */
  flush(): readonly Buffer[] {
    const out = this.#held.map((held) => held.data);
    this.#reordered += this.#held.filter((held) => held.passed).length;
    this.#held = [];
    this.#forwarded += out.length;
    return out;
  }

  /** The sums up to now. */
  report(): DatagramFaultReport {
    const [taken, forwarded, dropped] = [this.#taken, this.#forwarded, this.#dropped];
    return { taken, forwarded, dropped, doubled: this.#doubled, reordered: this.#reordered };
  }

  /** One datagram passes: those that were held back long enough come behind it. */
  #overtaken(): readonly Buffer[] {
    for (const held of this.#held) {
      held.overtakers -= 1;
      held.passed = true;
    }
    const free = this.#held.filter((held) => held.overtakers <= 0);
    this.#held = this.#held.filter((held) => held.overtakers > 0);
    this.#reordered += free.length;
    return free.map((held) => held.data);
  }
}
