/** The one implementation of {@link FramedStream}. */

import { BlockPool } from "../../core/bytes/block-pool.ts";
import type { Codec, OnFrame } from "../../core/framing/codec.ts";
import { showAs } from "../../core/show-as.ts";
import { type OperationOptions, refusedAtOnce, withDeadline } from "../operation/deadline.ts";
import { handled } from "../operation/handled-rejection.ts";
import { Iteration } from "../operation/iteration.ts";
import type { CloseOptions, StreamEnd } from "./end.ts";
import { FramedInbound } from "./framed-inbound.ts";
import { FramedOutbound } from "./framed-outbound.ts";
import type { ConnectionHost } from "./host.ts";
import type { Inbound } from "./inbound.ts";
import type { Outbound } from "./outbound.ts";
import type * as api from "./public.ts";
import type { StreamSocket } from "./public.ts";

/** Blocks are lent to all connections of the process. */
const pool = new BlockPool();

/** The connection that a framed socket stands on. */
export interface FramedHost extends StreamSocket, ConnectionHost {
  readonly inbound: Inbound;
  readonly outbound: Outbound;
}

/** Messages over a connection. */
export class FramedStream<In, Out> implements api.FramedStream<In, Out> {
  readonly socket: FramedHost;
  readonly codec: Codec<In, Out>;
  readonly #inbound: FramedInbound<Out>;
  readonly #outbound: FramedOutbound<In>;

  constructor(socket: FramedHost, codec: Codec<In, Out>) {
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

  receive(options?: OperationOptions): Promise<Out | null> {
    return this.#inbound.receive(options);
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<Out> {
    const inbound = this.#inbound;
    const owner = {};
    return new Iteration(
      () => inbound.next(owner),
      () => inbound.withdraw(owner),
    );
  }
  batches(): AsyncIterableIterator<readonly Out[]> {
    const inbound = this.#inbound;
    const owner = {};
    return new Iteration(
      () => inbound.nextBatch(owner),
      () => inbound.withdraw(owner),
    );
  }
  onMessages(handler: (message: Out) => void): Promise<void> {
    return this.#inbound.push((decoder, bytes, start, end) => decoder.decode(bytes, start, end, handler));
  }
  onFrames(handler: OnFrame): Promise<void> {
    return this.#inbound.push((decoder, bytes, start, end) => decoder.scan(bytes, start, end, handler));
  }
  pause(): void {
    this.#inbound.pause();
  }
  resume(): void {
    this.#inbound.resume();
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
