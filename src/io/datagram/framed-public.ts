/** The public contract of messages over a datagram socket. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import type { Codec } from "../../core/framing/codec.ts";
import type { OperationOptions, ReceiveOptions } from "../operation/deadline.ts";
import type { SendReport } from "./owner.ts";
import type { CollectOptions, DatagramCloseOptions } from "./settings.ts";

/** A message that came in a datagram. */
export interface ReceivedMessage<Out> {
  /** The message, as the codec gives it. */
  readonly message: Out;
  /** Who sent it, as the datagram says; UDP proves nothing. */
  readonly from: Address;
}

/**
 * Messages over a datagram socket: one message, one datagram. A datagram has boundaries already; the codec says what its bytes
 * mean, and whether it is whole. Both sides may use one codec over TCP and over UDP.
 *
 * Strangers can send anything. A datagram that does not hold exactly one valid message, with nothing behind it, is dropped:
 * it is counted in `messagesDropped`, published on `zocalo:error` of `node:diagnostics_channel` with its sender and the
 * error, and the next one is taken. It never makes a call fail.
 *
 * This object keeps nothing of the datagram socket to itself: datagrams may still be received from the datagram socket directly, each goes to
 * who asks first, and several codecs can share one datagram socket for sending. Closing it closes the datagram socket.
 *
 * @example
 * ```ts
 * import { bind } from "zocalo";
 * import { chain, fixedSize, json, lines } from "zocalo/framing";
 * await using box = await bind("udp://127.0.0.1:0");
 * await using sensor = await bind("udp://127.0.0.1:0", { remote: box.localAddress });
 * const readings = box.framed(chain(lines(), json<{ degrees: number }>()));
 * await sensor.framed(fixedSize(3)).send(Buffer.from("???")); // no reading: dropped
 * await sensor.send('{"degrees":20.5}\n');
 * const { message, from } = await readings.receive({ timeoutMs: 1_000 });
 * console.log(message.degrees, from.equals(sensor.localAddress), readings.messagesDropped); // 20.5 true 1
 * ```
 */
export interface FramedDatagramsOver<In, Out, Socket> extends AsyncDisposable, AsyncIterable<ReceivedMessage<Out>> {
  /** The datagram socket beneath. */
  readonly socket: Socket;
  /** What says how a message becomes a datagram, and back. */
  readonly codec: Codec<In, Out>;
  /** Datagrams that were dropped here because they do not hold exactly one message. */
  readonly messagesDropped: number;

  /**
   * Sends one message as one datagram; see `DatagramSocket.send` for the address and the errors. Rejects with
   * `FRAME_TOO_LONG` or `FRAME_INVALID` (side `local`) when the codec has no form for it, with `DATAGRAM_TOO_LARGE` when it
   * has one that no datagram can carry; nothing was sent then. Input that is bytes may be reused when it resolves.
   */
  send(message: In, to?: AddressLike, options?: OperationOptions): Promise<void>;
  /**
   * Sends many messages, each as one datagram, all to one receiver, in order; see `DatagramSocket.sendMany` for the report
   * and the errors. When one of them has no form, or does not fit into a datagram, nothing is sent.
   *
   * @example
   * ```ts
   * import { bind } from "zocalo";
   * import { lines } from "zocalo/framing";
   * await using box = await bind("udp://127.0.0.1:0");
   * await using news = await bind("udp://127.0.0.1:0");
   * const { sent, failures } = await news.framed(lines()).sendMany(["uno", "dos"], box.localAddress);
   * console.log(sent, failures.length, (await box.framed(lines()).receive()).message); // 2 0 uno
   * ```
   */
  sendMany(messages: readonly In[], to?: AddressLike, options?: OperationOptions): Promise<SendReport>;
  /**
   * The next message, which belongs to the caller. `timeoutMs` counts for the whole call, however many datagrams are
   * dropped meanwhile. Rejects as `DatagramSocket.receive` does, and with what the codec throws when it is wrong itself.
   */
  receive(options?: OperationOptions & { readonly until?: undefined }): Promise<ReceivedMessage<Out>>;
  /** As above; null when `until` aborts. */
  receive(options: ReceiveOptions): Promise<ReceivedMessage<Out> | null>;
  /** Gathers the messages that come within a time; see `DatagramSocket.collect`. Datagrams without one do not count. */
  collect(options: CollectOptions): Promise<ReceivedMessage<Out>[]>;
  /**
   * Iterates over `receive(options)` until the datagram socket is closed; `timeoutMs` is for each message. `break` and `until`
   * neither close it nor lose a message.
   */
  messages(options?: ReceiveOptions): AsyncIterableIterator<ReceivedMessage<Out>>;
  /** As `messages()`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ReceivedMessage<Out>>;
  /** Iterates over arrays of messages, all that wait at each step. Those that hold views of bytes are valid until the next one. */
  batches(options?: ReceiveOptions): AsyncIterableIterator<readonly ReceivedMessage<Out>[]>;
  /** Calls `handler` for each message; see `DatagramSocket.onDatagrams`. */
  onMessages(handler: (message: ReceivedMessage<Out>) => unknown, options?: ReceiveOptions): Promise<void>;
  /** Closes the datagram socket. Pending calls reject with `CLOSED`, iterations end. */
  close(options?: DatagramCloseOptions): Promise<void>;
  /** As that of the datagram socket. */
  abort(reason?: unknown): void;
}
