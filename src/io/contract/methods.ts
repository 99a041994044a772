/** What the methods of a contract look like to the compiler: as functions on a session, as handlers, and as streams. */

import type { Methods } from "../../core/contract/contract.ts";
import type { RequestInput, RequestOutput, ResponseInput, ResponseOutput } from "../../core/contract/method.ts";
import type { InputOf, OutputOf } from "../../core/contract/schema.ts";
import type { ReceiveOptions } from "../operation/deadline.ts";
import type { Metadata, RemoteCallOptions, RemoteEventOptions, SessionCallOptions } from "./metadata.ts";

export type { Contract, Methods } from "../../core/contract/contract.ts";

/** The arguments of a method: no question where the contract has none. */
export type MethodArguments<Input, Options> = [Input] extends [void]
  ? [input?: undefined, options?: Options]
  : undefined extends Input
    ? [input?: Input, options?: Options]
    : [input: Input, options?: Options];

/** What is sent as an item of a direction of a stream; `never` for a direction that it does not have. */
export type ItemInput<S> = [S] extends [undefined] ? never : InputOf<S>;
/** What is received as an item of a direction of a stream; `never` for a direction that it does not have. */
export type ItemOutput<S> = [S] extends [undefined] ? never : OutputOf<S>;

/** A method of the peer, as a function on the session. */
export type RemoteMethod<M> = M extends { readonly kind: "call" }
  ? (...args: MethodArguments<RequestInput<M>, SessionCallOptions>) => Promise<ResponseOutput<M>>
  : M extends { readonly kind: "event" }
    ? (...args: MethodArguments<RequestInput<M>, RemoteEventOptions>) => Promise<void>
    : M extends { readonly kind: "stream"; readonly sends: infer Sends; readonly receives: infer Receives }
      ? (
          ...args: MethodArguments<RequestInput<M>, RemoteCallOptions>
        ) => SessionStream<ItemOutput<Sends>, ItemInput<Receives>>
      : never;

/**
 * The methods of the peer, as functions on `remote`.
 *
 * - A call answers a promise of the response. It rejects with a `RemoteError` when the handler threw one, with `TIMEOUT`
 *   after `timeoutMs`, with the reason of `signal`, with `SESSION_LOST` when the session is lost (its `outcome` says
 *   whether the call may have arrived), with `CLOSED` when either side closes it, with `METHOD_UNKNOWN` when the peer does
 *   not offer it, with `QUEUE_FULL` when 65,536 calls or 16 MiB of them wait for room already.
 * - An event answers a promise that resolves when it has its number: it will arrive within the live session. While there is
 *   room it has it already; otherwise await it before the next one.
 * - A stream answers its object at once. `timeoutMs` is the time for the whole of it, from opening to the end of both
 *   directions, and `signal` may end it any time: it is cancelled at the peer, and fails here with `TIMEOUT` or the reason of
 *   the signal. Default: no limit of time.
 *
 * A rejection that nobody looks at is not an unhandled rejection: a peer that goes away must not end the process.
 */
export type RemoteMethods<Offered extends Methods> = { readonly [K in keyof Offered]: RemoteMethod<Offered[K]> };

/** What a handler is told beside the question. */
export interface HandlerContext<Session> {
  /** The session that the message came over. */
  readonly session: Session;
  /** Aborts when nobody waits for the answer any more: the caller cancelled, its time is up, or the session is over. */
  readonly signal: AbortSignal;
  /**
   * When the caller stops waiting, on the clock of the network (`performance.now()` on the kernel's); Infinity for never.
   * The remaining time travels with the call, so the clocks of the two machines need not agree.
   */
  readonly deadline: number;
  /** Milliseconds until `deadline`; Infinity for never. */
  readonly remainingMs: number;
  /** What the caller has sent along as `metadata`; an object without properties where that is nothing. */
  readonly metadata: Metadata;
  /**
   * Names the message: the session and the number of the message in it, `SESSION/NUMBER`. It is the same each time that the
   * message is delivered, also at another server, and no other message that this side receives has it: a key for what a handler does
   * in a database. Read it before the handler has ended.
   */
  readonly messageId: string;
  /**
   * Whether the handler may have run for this message before, in a server that has died or that the client has left: then look what was
   * done for `messageId`. Always false without a journal and at a client, where each message is handled once.
   */
  readonly redelivered: boolean;
}

/** What the handler of a stream may answer: nothing, or the items to send. */
export type StreamAnswer<Item> = AsyncIterable<Item> | Iterable<Item> | undefined | void;

/**
 * The handler of one method.
 *
 * - Call: answers the response or a promise of it. Throw a `RemoteError` to answer with an error of the application.
 * - Event: the next event waits until the promise it answers is settled.
 * - Stream: gets the stream; or is a generator, whose items are sent with backpressure. The items of this side end when it
 *   returns.
 */
export type Handler<M, Context> = M extends { readonly kind: "call" }
  ? (input: RequestOutput<M>, context: Context) => ResponseInput<M> | Promise<ResponseInput<M>>
  : M extends { readonly kind: "event" }
    ? (message: RequestOutput<M>, context: Context) => unknown
    : M extends { readonly kind: "stream"; readonly sends: infer Sends; readonly receives: infer Receives }
      ? (
          input: RequestOutput<M>,
          stream: SessionStream<ItemOutput<Receives>, ItemInput<Sends>>,
          context: Context,
        ) => StreamAnswer<ItemInput<Sends>> | Promise<StreamAnswer<ItemInput<Sends>>>
      : never;

/** A handler for each method that a side offers. */
export type Handlers<Offered extends Methods, Context> = {
  readonly [K in keyof Offered]: Handler<Offered[K], Context>;
};

/** The option `handlers`: required as soon as the side offers anything, so that nothing can arrive before its handler. */
export type HandlersOption<Offered extends Methods, Context> = keyof Offered extends never
  ? { readonly handlers?: Handlers<Offered, Context> | undefined }
  : {
      /** One handler for each method that this side offers. There is no way to attach one later (docs/semantics.md, rule D10). */
      readonly handlers: Handlers<Offered, Context>;
    };

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
  /**
   * The items that come. `timeoutMs` is for each item. When the time is over, or `signal` or `until` aborts, the loop ends, the
   * stream goes on, and the items that come are there for the next loop. There is one queue: two loops share it.
   */
  messages(options?: ReceiveOptions): AsyncIterableIterator<Received>;
  /** As `messages()`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Received>;
}
