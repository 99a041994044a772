/** Numbers that look random and are the same for the same seed. */

/** A stream of numbers: the xorshift generator with the shifts 13, 17 and 5 (Marsaglia, 2003). Not for secrets. */
export class SeededRandom {
  #state: number;

  /** `seed`: any whole number of 32 bits. */
  constructor(seed: number) {
    // Neighbouring seeds must not begin alike, and the state must not be 0.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0 || 1;
    for (let warmUp = 0; warmUp < 8; warmUp += 1) this.#next();
  }

  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number {
    return this.#next() % bound;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  #next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state;
  }
}
