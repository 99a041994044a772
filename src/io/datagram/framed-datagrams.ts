/** The one implementation of {@link FramedDatagrams}, over any datagram socket. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import { ByteWriter, type WrittenBytes } from "../../core/bytes/byte-writer.ts";
import { ProtocolError, UsageError } from "../../core/errors.ts";
import type { Codec, Decoder } from "../../core/framing/codec.ts";
import { showAs } from "../../core/show-as.ts";
import type { Datagram } from "../network/datagrams.ts";
import { checkOptions, LIST } from "../../core/options/check-options.ts";
import type { OperationOptions, ReceiveOptions } from "../operation/deadline.ts";
import { publish } from "../operation/diagnostics.ts";
import { handled } from "../operation/handled-rejection.ts";
import { codecFailure } from "../operation/restated.ts";
import type { DatagramPartOwner, SendReport } from "./owner.ts";
import type { DatagramInbound } from "./inbound.ts";
import { type DatagramQueue, BATCH_DATAGRAMS, collect, loopOver, pushTo } from "./queue.ts";
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

/** Decodes datagrams, each on its own. */
export class DatagramDecoder<Out> {
  /** Datagrams that did not hold exactly one message. */
  dropped = 0;
  readonly #codec: Codec<never, Out>;
  readonly #local: () => Address;
  #decoder: Decoder<Out>;
  #count = 0;
  #message: Out | undefined;
  readonly #keep: (message: Out) => void = (message) => {
    this.#count += 1;
    if (this.#count > 1) this.#decoder.stop();
    // A view of the datagram is as good as a copy; a view of the decoder's own room is not.
    else this.#message = this.#decoder.inPlace === true ? message : this.#decoder.own(message);
  };

  constructor(codec: Codec<never, Out>, local: () => Address) {
    this.#codec = codec;
    this.#local = local;
    this.#decoder = codec.createDecoder();
  }

  /**
   * The message of a datagram; undefined when it is dropped. A message that is a view lasts as long as the bytes of the
   * datagram.
   *
   * @throws UsageError the codec itself is wrong.
   */
  decode({ data, from }: Datagram): ReceivedMessage<Out> | undefined {
    this.#count = 0;
    try {
      this.#decoder.decode(data, 0, data.length, this.#keep);
      this.#decoder.end();
    } catch (error) {
      // What was left of it must not meet the next one, which is somebody else's.
      this.#decoder = this.#codec.createDecoder();
      this.#message = undefined;
      if (error instanceof UsageError) throw error;
      this.#drop(from, error);
      return undefined;
    }
    const message = this.#message as Out;
    this.#message = undefined;
    if (this.#count === 1) return { message, from };
    this.#drop(from);
    return undefined;
  }

  #drop(from: Address, cause?: unknown): void {
    this.dropped += 1;
    const held = this.#count;
    publish("error", () => {
      const local = this.#local().toString();
      const remote = from.toString();
      const name = this.#codec.name;
      const problem = held === 0 ? "no message" : "more than one message";
      const why = cause instanceof ProtocolError ? cause.detail : `${name}: the datagram holds ${problem}`;
      const code = cause instanceof ProtocolError ? cause.code : "FRAME_INVALID";
      const error = new ProtocolError(code, { op: "receive", local, remote, detail: `dropped: ${why}`, cause });
      return { kind: "datagram", local, remote, error };
    });
  }
}
