/** The kinds of receive that a datagram socket offers, and the iterations over them. */

import type { DatagramInbound, Taking } from "./inbound.ts";
import { DONE, Iteration } from "../operation/iteration.ts";
import type { Datagram } from "../network/network.ts";

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
  return iterate(inbound, "receive", (queue) => ({ done: false, value: queue.shift() }));
}

/** Iterates over all that waits at each step. */
export function iterateBatches(inbound: DatagramInbound): AsyncIterableIterator<readonly Datagram[]> {
  return iterate<readonly Datagram[]>(inbound, "receiveMany", (queue) => ({
    done: false,
    value: queue.take(BATCH_DATAGRAMS),
  }));
}

function iterate<T>(
  inbound: DatagramInbound,
  op: string,
  take: Taking<IteratorResult<T, undefined>>["take"],
): AsyncIterableIterator<T, undefined> {
  const taking: Taking<IteratorResult<T, undefined>> = { op, take, end: DONE };
  return new Iteration(
    () => inbound.receive(taking),
    () => inbound.withdraw(taking),
  );
}
