/** The receive queue of a datagram socket, and how calls take from it. */

import { HELD } from "../../core/held-bytes.ts";
import { checkOptions, HANDLER } from "../../core/options/check-options.ts";
import type { Datagram } from "../network/datagrams.ts";
import { type OperationContext, type ReceiveOptions, receiveRefused } from "../operation/deadline.ts";
import { publish } from "../operation/diagnostics.ts";
import { handled, isThenable } from "../operation/handled-rejection.ts";
import { DONE, Iteration } from "../operation/iteration.ts";

/** Taken places at the front are given back when there are this many and they are half of the array. */
const SPARE_PLACES = 64;

/** Datagrams that arrived and that nobody has taken. Every operation is constant in time, spread over its calls. */
export class DatagramQueue {
  #items: (Datagram | undefined)[] = [];
  #head = 0;
  /** Payload bytes in the queue. */
  bytes = 0;

  /** Datagrams in the queue. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Memory that they pin. */
  get heldBytes(): number {
    return this.bytes + this.length * HELD.datagram;
  }

  push(datagram: Datagram): void {
    this.#items.push(datagram);
    this.bytes += datagram.data.length;
  }

  /** Puts some before the oldest, in their order. */
  unshift(datagrams: readonly Datagram[]): void {
    this.#items = [...datagrams, ...this.#items.slice(this.#head)];
    this.#head = 0;
    for (const { data } of datagrams) this.bytes += data.length;
  }

  /** Takes the oldest. The queue must not be empty. */
  shift(): Datagram {
    const datagram = this.#items[this.#head] as Datagram;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.bytes -= datagram.data.length;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= SPARE_PLACES && this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return datagram;
  }

  /** Takes the newest. The queue must not be empty. */
  pop(): Datagram {
    const datagram = this.#items.pop() as Datagram;
    this.bytes -= datagram.data.length;
    if (this.#head === this.#items.length) this.clear();
    return datagram;
  }

  /** Takes the oldest ones, at most `max`. */
  take(max: number): Datagram[] {
    if (this.#head === 0 && this.#items.length <= max) {
      const all = this.#items as Datagram[];
      this.clear();
      return all;
    }
    const count = Math.min(max, this.length);
    const taken: Datagram[] = [];
    for (let index = 0; index < count; index += 1) taken.push(this.shift());
    return taken;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.bytes = 0;
  }
}

/** One kind of receive: how it takes what it wants from a queue that is not empty. */
export interface Taking<T> {
  readonly op: string;
  /** What it wants; undefined when nothing in the queue was, which is then empty. May throw: then the call rejects. */
  take(queue: DatagramQueue): T | undefined;
  /** What it gets when `until` aborts: where there is none, the call takes no `until`. */
  readonly end?: T;
  /** A loop, which ends when this program closes the datagram socket; others reject. */
  readonly isLoop?: boolean;
}

/** Who serves what is taken: the receiving half. */
export interface Takings {
  readonly maxBytes: number;
  receive<T>(taking: Taking<T>, options?: ReceiveOptions): Promise<T>;
  withdraw(taking: Taking<unknown>): void;
  putBack(datagrams: readonly Datagram[]): void;
}

/** Most datagrams in one step of `batches()`: a step stays short, so that other work of the program gets its turn. */
export const BATCH_DATAGRAMS = 1024;

/** One datagram. */
export const TAKE_ONE: Taking<Datagram | null> = { op: "receive", take: (queue) => queue.shift(), end: null };

/** Those that are there, at most `max`. */
export function takeMany(max: number): Taking<Datagram[]> {
  return { op: "receiveMany", take: (queue) => queue.take(max) };
}

/** Iterates over what `take` gives. */
export function loopOver<T>(
  inbound: Takings,
  op: string,
  take: (queue: DatagramQueue) => T | undefined,
  options: ReceiveOptions | undefined,
): AsyncIterableIterator<T> {
  const taking: Taking<IteratorResult<T, undefined>> = {
    op,
    take: (queue) => {
      const value = take(queue);
      return value === undefined ? undefined : { done: false, value };
    },
    end: DONE,
    isLoop: true,
  };
  return new Iteration(
    () => inbound.receive(taking, options),
    () => inbound.withdraw(taking),
  );
}

/**
 * Gives all that a loop gives to a handler. Its end is not always awaited: what a peer does must not end the process, and what
 * the handler throws is published too.
 */
export function pushTo<T>(
  handler: (item: T) => unknown,
  loop: AsyncIterable<T>,
  options: ReceiveOptions | undefined,
  context: () => OperationContext,
): Promise<void> {
  const push = async (): Promise<void> => {
    for await (const item of loop) {
      try {
        const answer = handler(item);
        if (isThenable(answer)) await answer;
      } catch (error) {
        const { local, remote } = context();
        publish("error", () => ({ kind: "datagram", local, remote, error }));
        throw error;
      }
    }
  };
  try {
    checkOptions(context(), { handler }, { handler: HANDLER });
  } catch (error) {
    return Promise.reject(error);
  }
  const refused = receiveRefused(options, context);
  if (refused !== undefined) return Promise.reject(refused.reason);
  return handled(push());
}
