/** A loop over the items of a stream. */

/** A stream, as a loop sees it. */
export interface ItemSource {
  next(): Promise<IteratorResult<unknown, undefined>>;
  /** A loop was left before it had come to its end. */
  left(): void;
}

/**
 * The iterator of a stream. Not a generator: there leaving waits for the item that is being waited for, which may never
 * come.
 */
export class StreamItems implements AsyncIterableIterator<unknown> {
  readonly #source: ItemSource;

  constructor(source: ItemSource) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return this.#source.next();
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#source.left();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(reason: unknown): Promise<never> {
    this.#source.left();
    return Promise.reject(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
