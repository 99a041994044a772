/** The one implementation of {@link FramedStream}. */

import { BlockPool } from "../../core/bytes/block-pool.ts";
import type { Codec, OnFrame } from "../../core/framing/codec.ts";
import { checkOptions, HANDLER } from "../../core/options/check-options.ts";
import { showAs } from "../../core/show-as.ts";
import { type OperationOptions, type ReceiveOptions, refusedAtOnce } from "../operation/deadline.ts";
import { withDeadline } from "../operation/within.ts";
import { FULFILLED, handled, isThenable } from "../operation/handled-rejection.ts";
import { DONE, Iteration } from "../operation/iteration.ts";
import type { CloseOptions, StreamEnd } from "./end.ts";
import { FramedInbound } from "./framed-inbound.ts";
import { FramedOutbound } from "./framed-outbound.ts";
import type { MessagePush, MessageRequest } from "./framed-request.ts";
import type { StreamPartOwner } from "./owner.ts";
import type { Inbound } from "./inbound.ts";
import type { Outbound } from "./outbound.ts";
import type * as api from "./public.ts";
import type { StreamSocket } from "./public.ts";

/** Blocks are lent to all connections of the process. */
const pool = new BlockPool();

/** What `receive` wants. */
const RECEIVE: MessageRequest = { op: "receive", takes: "one", end: null };

/** The connection that a framed socket stands on. */
export interface FramedOwner extends StreamSocket, StreamPartOwner {
  readonly inbound: Inbound;
  readonly outbound: Outbound;
}

/** Messages over a connection. */
export class FramedStream<In, Out> implements api.FramedStream<In, Out> {
  readonly socket: FramedOwner;
  readonly codec: Codec<In, Out>;
  readonly #inbound: FramedInbound<Out>;
  readonly #outbound: FramedOutbound<In>;

  constructor(socket: FramedOwner, codec: Codec<In, Out>) {
    this.socket = socket;
    this.codec = codec;
    this.#inbound = new FramedInbound(socket, socket.inbound, codec.createDecoder(), pool);
    this.#outbound = new FramedOutbound(socket, socket.outbound, codec, pool);
  }

  get closed(): Promise<StreamEnd> {
    return this.socket.closed;
  }
  get signal(): AbortSignal {
    return this.socket.signal;
  }
  get unsentBytes(): number {
    return this.#outbound.unsentBytes;
  }

  get heldBytes(): number {
    return this.#outbound.heldBytes;
  }

  send(message: In, options?: OperationOptions): Promise<void> {
    return this.#outbound.send(message, options);
  }
  sendMany(messages: Iterable<In>, options?: OperationOptions): Promise<void> {
    return handled(this.#outbound.sendMany(messages, options));
  }
  flush(options?: OperationOptions): Promise<void> {
    const context = this.socket.context("flush");
    const refused = refusedAtOnce(options, () => context);
    if (refused !== undefined) return Promise.reject(refused.reason);
    return handled(withDeadline(this.socket.clock, this.#outbound.flush(), options, context));
  }

  receive(options?: ReceiveOptions): Promise<Out | null> {
    return this.#inbound.receive(RECEIVE, options);
  }
  messages(options?: ReceiveOptions): AsyncIterableIterator<Out> {
    return this.#loop({ op: "receive", takes: "one", end: DONE }, options);
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<Out> {
    return this.messages();
  }
  batches(options?: ReceiveOptions): AsyncIterableIterator<readonly Out[]> {
    return this.#loop({ op: "batches", takes: "batch", end: DONE }, options);
  }
  #loop<T>(steps: MessageRequest, options: ReceiveOptions | undefined): AsyncIterableIterator<T> {
    const inbound = this.#inbound;
    return new Iteration(
      () => inbound.receive(steps, options),
      () => inbound.withdraw(steps),
    );
  }
  onMessages(handler: (message: Out) => unknown, options?: ReceiveOptions): Promise<void> {
    return this.#push({ op: "onMessages", takes: "all", end: undefined, onMessage: handler }, options);
  }
  onFrames(handler: OnFrame, options?: ReceiveOptions): Promise<void> {
    return this.#push({ op: "onFrames", takes: "all", end: undefined, onFrame: handler }, options);
  }
  #push(push: MessagePush<Out>, options: ReceiveOptions | undefined): Promise<void> {
    const { op, onMessage, onFrame } = push;
    try {
      checkOptions(this.socket.context(op), { handler: onMessage ?? onFrame }, { handler: HANDLER });
      if (onMessage !== undefined) {
        push.onMessage = (message) => {
          push.delivered = true;
          const answer: unknown = onMessage(message);
          // Most answer nothing, or the promise of a message that was taken at once.
          if (answer !== undefined && answer !== FULFILLED && isThenable(answer)) this.#inbound.await(push, answer);
        };
      }
      if (onFrame !== undefined && options?.timeoutMs !== undefined) {
        push.onFrame = (bytes, start, end) => {
          push.delivered = true;
          onFrame(bytes, start, end);
        };
      }
      return this.#inbound.receive(push, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  pause(): void {
    this.#inbound.pause();
  }
  resume(): void {
    this.#inbound.resume();
  }

  setIdleTimeout(idleMs: number): void {
    this.socket.setIdleTimeout(idleMs);
  }

  detach(): StreamSocket {
    this.#outbound.handOverAll();
    this.#inbound.detach();
    return this.socket;
  }
  close(options?: CloseOptions): Promise<void> {
    return this.socket.close(options);
  }
  abort(reason?: unknown): void {
    this.socket.abort(reason);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
showAs(FramedStream, "FramedStream", ({ socket, unsentBytes }) => ({ socket, unsentBytes }));
