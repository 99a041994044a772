/** The one implementation of {@link FramedDatagrams}, over any datagram socket. */

import type { AddressLike } from "../../core/address/address.ts";
import { ByteWriter, type WrittenBytes } from "../../core/bytes/byte-writer.ts";
import type { Codec } from "../../core/framing/codec.ts";
import { showAs } from "../../core/show-as.ts";
import { checkOptions, LIST } from "../../core/options/check-options.ts";
import type { OperationOptions, ReceiveOptions } from "../operation/deadline.ts";
import { handled } from "../operation/handled-rejection.ts";
import { codecFailure } from "../operation/restated.ts";
import { collect } from "./collect.ts";
import { DatagramDecoder } from "./decoder.ts";
import type { DatagramPartOwner, SendReport } from "./owner.ts";
import type { DatagramInbound } from "./inbound.ts";
import { type DatagramQueue, BATCH_DATAGRAMS, loopOver, pushTo } from "./queue.ts";
import type * as api from "./public.ts";
import type { ReceivedMessage } from "./framed-public.ts";
import type { CollectOptions, DatagramCloseOptions } from "./settings.ts";

/** The datagram socket that a framed one stands on. */
export interface FramedOwner extends api.DatagramSocket, DatagramPartOwner {
  readonly inbound: DatagramInbound;
}

/** Messages over a datagram socket. */
export class FramedDatagrams<In, Out> implements api.FramedDatagrams<In, Out> {
  readonly socket: FramedOwner;
  readonly codec: Codec<In, Out>;
  readonly #writer = new ByteWriter();
  readonly #decoder: DatagramDecoder<Out>;
  /** The next message in the queue. A stranger who sends rubbish does not prolong the call that waits. */
  readonly #next: (queue: DatagramQueue) => ReceivedMessage<Out> | undefined = (queue) => {
    let received: ReceivedMessage<Out> | undefined;
    while (received === undefined && queue.length > 0) received = this.#decoder.decode(queue.shift());
    return received;
  };

  constructor(socket: FramedOwner, codec: Codec<In, Out>) {
    this.socket = socket;
    this.codec = codec;
    this.#decoder = new DatagramDecoder(codec, () => socket.localAddress);
  }

  get messagesDropped(): number {
    return this.#decoder.dropped;
  }

  send(message: In, to?: AddressLike, options?: OperationOptions): Promise<void> {
    try {
      const { written } = this.#encodeAll([message], "send");
      const [first, second] = written.chunks;
      const data = first !== undefined && second === undefined ? first : written.chunks;
      return handled(this.socket.send(data, to, options).finally(() => written.release()));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  sendMany(messages: readonly In[], to?: AddressLike, options?: OperationOptions): Promise<SendReport> {
    try {
      checkOptions(this.socket.context("sendMany"), { messages }, { messages: LIST });
      const { written, sizes } = this.#encodeAll(messages, "sendMany");
      const items = cutInto(written.chunks, sizes).map((data) => ({ data, to }));
      return handled(this.socket.sendMany(items, options).finally(() => written.release()));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  receive(options?: OperationOptions & { readonly until?: undefined }): Promise<ReceivedMessage<Out>>;
  receive(options: ReceiveOptions): Promise<ReceivedMessage<Out> | null>;
  receive(options?: ReceiveOptions): Promise<ReceivedMessage<Out> | null> {
    return this.socket.inbound.receive({ op: "receive", take: this.#next, end: null }, options);
  }

  collect(options: CollectOptions): Promise<ReceivedMessage<Out>[]> {
    return collect(this.socket, this.socket.inbound, (datagram) => this.#decoder.decode(datagram), options);
  }

  messages(options?: ReceiveOptions): AsyncIterableIterator<ReceivedMessage<Out>> {
    return loopOver(this.socket.inbound, "receive", this.#next, options);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ReceivedMessage<Out>> {
    return this.messages();
  }

  batches(options?: ReceiveOptions): AsyncIterableIterator<readonly ReceivedMessage<Out>[]> {
    const nextMany = (queue: DatagramQueue): readonly ReceivedMessage<Out>[] | undefined => {
      const messages: ReceivedMessage<Out>[] = [];
      while (queue.length > 0 && messages.length < BATCH_DATAGRAMS) {
        const message = this.#next(queue);
        if (message !== undefined) messages.push(message);
      }
      return messages.length === 0 ? undefined : messages;
    };
    return loopOver(this.socket.inbound, "batches", nextMany, options);
  }

  onMessages(handler: (message: ReceivedMessage<Out>) => unknown, options?: ReceiveOptions): Promise<void> {
    const loop = loopOver(this.socket.inbound, "onMessages", this.#next, options);
    return pushTo(handler, loop, options, () => this.socket.context("onMessages"));
  }

  async close(options?: DatagramCloseOptions): Promise<void> {
    await this.socket.close(options);
  }

  abort(reason?: unknown): void {
    this.socket.abort(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** All messages one behind the other, and how many bytes each has. */
  #encodeAll(
    messages: readonly In[],
    op: string,
  ): { readonly written: WrittenBytes; readonly sizes: readonly number[] } {
    const writer = this.#writer;
    try {
      // A hole counts as undefined.
      const sizes = Array.from(messages, (message) => {
        const before = writer.length;
        this.codec.encode(message, writer);
        return writer.length - before;
      });
      return { written: writer.take(), sizes };
    } catch (error) {
      writer.take().release();
      throw codecFailure(error, this.socket.context(op));
    }
  }
}
showAs(FramedDatagrams, "FramedDatagrams", ({ socket, messagesDropped }) => ({ socket, messagesDropped }));

/** Cuts what was written into datagrams of so many bytes: in one piece, unless a message reaches into the next chunk. */
function cutInto(chunks: readonly Uint8Array[], sizes: readonly number[]): api.DatagramInput[] {
  let index = 0;
  let at = 0;
  return sizes.map((size) => {
    const pieces: Uint8Array[] = [];
    for (let missing = size; missing > 0; ) {
      const chunk = chunks[index] as Uint8Array;
      const piece = chunk.subarray(at, at + missing);
      pieces.push(piece);
      missing -= piece.length;
      at += piece.length;
      if (at < chunk.length) continue;
      index += 1;
      at = 0;
    }
    return pieces[0] !== undefined && pieces.length === 1 ? pieces[0] : pieces;
  });
}
