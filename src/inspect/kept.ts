/** What takes a look at each of many objects: kept for so long that it never takes more than a small share of a processor. */

import type { Clock } from "../io/network/network.ts";

/** So few objects are looked at each time. */
const FEW = 1000;
/** A look at one object takes a few microseconds, where it was not looked at lately: then this is about half a hundredth. */
const KEPT_MS_FOR_EACH = 0.5;

/** Values by what they are about. A value is forgotten when its time is over, asked for or not. */
export class Kept {
  readonly #clock: Clock;
  readonly #values: Map<object, unknown> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What `make` answers, now or a while ago. @param size - How many objects `make` looks at. */
  of<T>(about: object, size: number, make: () => T): T {
    if (this.#values.has(about)) return this.#values.get(about) as T;
    const value = make();
    if (size > FEW) {
      this.#values.set(about, value);
      this.#clock.setTimer(() => this.#values.delete(about), size * KEPT_MS_FOR_EACH, true);
    }
    return value;
  }
}
