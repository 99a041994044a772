/** The public contract of a stream of a session. */

/**
 * A stream: items in one direction or both, each direction with its own credit, so that a slow one never holds up another.
 * Both sides of it look the same.
 *
 * Iterate over it to receive. Leaving the loop early cancels the stream. When the other side fails it, the iteration
 * throws that `RemoteError` behind the items that came before; when the session is lost, `SESSION_LOST`. Items belong to
 * the receiver. A stream survives the connection with its session.
 *
 * @typeParam Received - The items that come; `never` when that direction does not exist.
 * @typeParam Sent - The items that can be sent; `never` when that direction does not exist.
 *
 * @example
 * ```ts
 * import { contract, connectSession, serveSessions, stream, typeOnly } from "zocalo/protocol";
 * const counter = contract("counter", "1.0.0", {
 *   server: { count: stream({ request: typeOnly<{ to: number }>(), sends: typeOnly<number>() }) },
 * });
 * const server = await serveSessions(counter, "tcp://127.0.0.1:0", {
 *   handlers: {
 *     count: async function* ({ to }) {
 *       for (let next = 1; next <= to; next += 1) yield next;
 *     },
 *   },
 * });
 * const session = await connectSession(counter, server.localAddress);
 * for await (const item of session.remote.count({ to: 3 })) console.log(item); // 1, 2, 3
 * await session.close();
 * await server.close();
 * ```
 */
export interface SessionStream<Received, Sent> extends AsyncIterable<Received> {
  /**
   * Sends an item. Resolves when it has its number: at once while there is room, otherwise when there is.
   * Rejects with `QUEUE_FULL` when 16,384 items or 16 MiB wait already, with `SESSION_LOST` when the session is over
   * (`outcome` `none`: the item was not sent), with `CLOSED` after `end` and `abort`, with the `RemoteError` of the other
   * side when that failed the stream.
   */
  send(item: Sent): Promise<void>;
  /** Ends the items of this side, behind those that wait. */
  end(): void;
  /**
   * Gives the stream up at once, in both directions. Items that wait are dropped; the other side's signal aborts. `reason` is the
   * `cause` of the errors on this side; the other side is not told.
   */
  abort(reason?: unknown): void;
  /** Aborts when the stream is over before both sides have ended it: aborted, failed, or lost with its session. */
  readonly signal: AbortSignal;
  /** The items that come. There is one queue: two loops share it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Received>;
}
