/** Loops over what arrives. */

/** What an iteration gives at its end. */
export const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * An iteration, one call after the other. `return`, which `break` calls, ends the steps that wait, so that they cannot take
 * anything away from others. Not a generator: there `return` waits for the step that is under way, which may never end, and
 * each step costs three more turns of the microtask queue.
 */
export class Iteration<T> implements AsyncIterableIterator<T> {
  readonly #step: () => Promise<IteratorResult<T, undefined>>;
  readonly #withdraw: () => void;
  #over = false;

  /** `step` waits for what comes next; `withdraw` ends all steps that wait with `DONE`. */
  constructor(step: () => Promise<IteratorResult<T, undefined>>, withdraw: () => void) {
    this.#step = step;
    this.#withdraw = withdraw;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return this.#over ? Promise.resolve(DONE) : this.#step();
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#over = true;
    this.#withdraw();
    return Promise.resolve(DONE);
  }

  throw(reason: unknown): Promise<never> {
    void this.return();
    return Promise.reject(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
