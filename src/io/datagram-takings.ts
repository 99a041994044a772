/** The kinds of receive that a mailbox offers, and the iterations over them. */

import type { DatagramInbound, Taking } from "./datagram-inbound.ts";
import type { Datagram } from "./network.ts";

/** Most datagrams in one step of `batches()`: a step stays short, so that other work of the program gets its turn. */
const BATCH_DATAGRAMS = 1024;

/** One datagram. */
export const TAKE_ONE: Taking<Datagram> = { op: "receive", take: (queue) => queue.shift() };

/** Those that are there, at most `max`. */
export function takeMany(max: number): Taking<Datagram[]> {
  return { op: "receiveMany", take: (queue) => queue.take(max) };
}

/** Iterates over single datagrams. */
export function iterateDatagrams(inbound: DatagramInbound): AsyncIterableIterator<Datagram> {
  return new Iteration(inbound, {
    op: "receive",
    take: (queue) => ({ done: false, value: queue.shift() }),
    end: { done: true, value: undefined },
  });
}

/** Iterates over all that waits at each step. */
export function iterateBatches(inbound: DatagramInbound): AsyncIterableIterator<readonly Datagram[]> {
  return new Iteration<readonly Datagram[]>(inbound, {
    op: "receiveMany",
    take: (queue) => ({ done: false, value: queue.take(BATCH_DATAGRAMS) }),
    end: { done: true, value: undefined },
  });
}

/** Written by hand: an async generator costs three more turns of the microtask queue for each datagram. */
class Iteration<T> implements AsyncIterableIterator<T> {
  readonly #inbound: DatagramInbound;
  readonly #taking: Taking<IteratorResult<T, undefined>>;
  #done = false;

  constructor(inbound: DatagramInbound, taking: Taking<IteratorResult<T, undefined>>) {
    this.#inbound = inbound;
    this.#taking = taking;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#done) return Promise.resolve({ done: true, value: undefined });
    return this.#inbound.receive(this.#taking);
  }

  /** Called by `break`. A step that still waits ends, so that it cannot take a datagram away from others. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#done = true;
    this.#inbound.withdraw(this.#taking);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
