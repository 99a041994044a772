/** The kinds of receive that a datagram socket offers, and the loops over them. */

import type { DatagramInbound, DatagramQueue, Taking } from "./inbound.ts";
import { RECEIVE_RULES } from "../../core/options/check-options.ts";
import { type OperationContext, type ReceiveOptions, refusedAtOnce } from "../operation/deadline.ts";
import { handled } from "../operation/handled-rejection.ts";
import { DONE, Iteration } from "../operation/iteration.ts";
import type { Datagram } from "../network/datagrams.ts";

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
  inbound: DatagramInbound,
  op: string,
  take: (queue: DatagramQueue) => T | undefined,
  options: ReceiveOptions | undefined,
): AsyncIterableIterator<T, undefined> {
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

/** Gives all that a loop gives to a handler. Its end is not always awaited: what a peer does must not end the process. */
export function pushTo<T>(
  handler: (item: T) => void,
  loop: AsyncIterable<T>,
  options: ReceiveOptions | undefined,
  context: () => OperationContext,
): Promise<void> {
  const refused = refusedAtOnce(options, context, RECEIVE_RULES);
  if (refused !== undefined) return Promise.reject(refused.reason);
  const push = async (): Promise<void> => {
    for await (const item of loop) handler(item);
  };
  return handled(push());
}
