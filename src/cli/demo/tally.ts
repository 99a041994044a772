/** What arrived of a series of numbered messages. */

/** The sums. */
export interface TallyReport {
  /** Arrivals, copies included. */
  readonly received: number;
  /** Numbers that arrived at least once. */
  readonly distinct: number;
  /** Numbers that never arrived. */
  readonly lost: number;
  /** Arrivals of a number that had arrived before. */
  readonly twice: number;
  /** First arrivals behind a higher number. */
  readonly outOfOrder: number;
  /** Arrivals that are no number of the series. */
  readonly damaged: number;
}

/** Counts the arrivals of the numbers 1 to `total`. */
export class Tally {
  readonly #total: number;
  readonly #seen: Uint8Array;
  readonly #sums = { received: 0, distinct: 0, twice: 0, outOfOrder: 0, damaged: 0 };
  #highest = 0;

  constructor(total: number) {
    this.#total = total;
    this.#seen = new Uint8Array(total + 1);
  }

  /** One message arrived; its text should be a number of the series. */
  add(text: string): void {
    const sums = this.#sums;
    sums.received += 1;
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < 1 || number > this.#total) sums.damaged += 1;
    else if (this.#seen[number] === 1) sums.twice += 1;
    else {
      this.#seen[number] = 1;
      sums.distinct += 1;
      if (number < this.#highest) sums.outOfOrder += 1;
      else this.#highest = number;
    }
  }

  /** The sums up to now. */
  report(): TallyReport {
    return { ...this.#sums, lost: this.#total - this.#sums.distinct };
  }
}
