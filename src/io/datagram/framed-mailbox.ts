/** The one implementation of {@link FramedDatagramSocket}, over any mailbox. */

import { showAs } from "../../core/show-as.ts";
import type { AddressLike } from "../../core/address/address.ts";
import { ByteWriter, type WrittenBytes } from "../../core/bytes/byte-writer.ts";
import type { Codec } from "../../core/framing/codec.ts";
import { checkOptions, LIST } from "../operation/check-options.ts";
import { DatagramDecoder } from "./decoder.ts";
import type { DatagramInput, DatagramSocket, FramedDatagramSocket } from "./socket.ts";
import type { OperationOptions } from "../operation/deadline.ts";
import type { ReceivedMessage } from "./framed-datagrams.ts";
import { handled } from "../operation/handled-rejection.ts";
import { DONE, Iteration } from "../operation/iteration.ts";
import { codecFailure } from "../operation/codec-failure.ts";
import type { MailboxHost } from "./host.ts";
import type { Datagram } from "../network/network.ts";
import { withOneDeadline } from "../operation/one-deadline.ts";
import type { SendReport } from "./send-report.ts";

/** Messages over a mailbox. */
export class FramedMailbox<In, Out> implements FramedDatagramSocket<In, Out> {
  readonly socket: DatagramSocket & MailboxHost;
  readonly codec: Codec<In, Out>;
  readonly #writer: ByteWriter = new ByteWriter();
  readonly #decoder: DatagramDecoder<Out>;

  constructor(socket: DatagramSocket & MailboxHost, codec: Codec<In, Out>) {
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

  async receive(options?: OperationOptions): Promise<ReceivedMessage<Out>> {
    if (options === undefined) return await this.#receive(options);
    // One deadline for all datagrams: a stranger who sends rubbish must not prolong the call.
    const context = this.socket.context("receive");
    return await withOneDeadline(this.socket.clock, options, context, "none", (each) => this.#receive(each));
  }

  async #receive(options: OperationOptions | undefined): Promise<ReceivedMessage<Out>> {
    for (;;) {
      const received = this.#decoder.decode(await this.socket.receive(options));
      if (received !== undefined) return received;
    }
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ReceivedMessage<Out>> {
    return iterate(this.socket[Symbol.asyncIterator](), (datagram) => this.#decoder.decode(datagram));
  }

  batches(): AsyncIterableIterator<readonly ReceivedMessage<Out>[]> {
    return iterate(this.socket.batches(), (batch) => this.#decodeAll(batch));
  }

  async close(options?: OperationOptions): Promise<void> {
    await this.socket.close(options);
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

  #decodeAll(batch: readonly Datagram[]): readonly ReceivedMessage<Out>[] | undefined {
    const messages: ReceivedMessage<Out>[] = [];
    for (const datagram of batch) {
      const received = this.#decoder.decode(datagram);
      if (received !== undefined) messages.push(received);
    }
    return messages.length === 0 ? undefined : messages;
  }
}
showAs(FramedMailbox, "FramedDatagramSocket", ({ socket, messagesDropped }) => ({ socket, messagesDropped }));

/** Cuts what was written into datagrams of so many bytes: in one piece, unless a message reaches into the next chunk. */
function cutInto(chunks: readonly Uint8Array[], sizes: readonly number[]): DatagramInput[] {
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

/** The steps of `source` for which `decode` gives something. */
function iterate<T, Out>(
  source: AsyncIterableIterator<T>,
  decode: (step: T) => Out | undefined,
): AsyncIterableIterator<Out, undefined> {
  const step = async (): Promise<IteratorResult<Out, undefined>> => {
    for (;;) {
      const { done, value } = (await source.next()) as IteratorResult<T, undefined>;
      if (done === true) return DONE;
      const decoded = decode(value);
      if (decoded !== undefined) return { done: false, value: decoded };
    }
  };
  return new Iteration(step, () => void source.return?.());
}
