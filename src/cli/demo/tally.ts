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
  #received = 0;
  #distinct = 0;
  #twice = 0;
  #outOfOrder = 0;
  #damaged = 0;
  #highest = 0;

  constructor(total: number) {
    this.#total = total;
    this.#seen = new Uint8Array(total + 1);
  }

  /** One message arrived; its text should be a number of the series. */
  add(text: string): void {
    this.#received += 1;
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < 1 || number > this.#total) this.#damaged += 1;
    else if (this.#seen[number] === 1) this.#twice += 1;
    else {
      this.#seen[number] = 1;
      this.#distinct += 1;
      if (number < this.#highest) this.#outOfOrder += 1;
      else this.#highest = number;
    }
  }

  /** The sums up to now. */
  report(): TallyReport {
    return {
      received: this.#received,
      distinct: this.#distinct,
      lost: this.#total - this.#distinct,
      twice: this.#twice,
      outOfOrder: this.#outOfOrder,
      damaged: this.#damaged,
    };
  }
}
