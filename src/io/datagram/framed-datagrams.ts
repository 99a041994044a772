/** The public contract of a mailbox that carries messages instead of bytes. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import type { Codec } from "../../core/framing/codec.ts";
import type { OperationOptions } from "../operation/deadline.ts";
import type { SendReport } from "./send-report.ts";

/** A message that came in a datagram. */
export interface ReceivedMessage<Out> {
  /** The message, as the codec gives it. */
  readonly message: Out;
  /** Who sent it, as the datagram says; UDP proves nothing. */
  readonly from: Address;
}

/**
 * Messages over a mailbox: one message, one datagram. A datagram has boundaries already; the codec says what its bytes
 * mean, and whether it is whole. Both sides may use one codec over TCP and over UDP.
 *
 * Strangers can send anything. A datagram that does not hold exactly one valid message, with nothing behind it, is dropped:
 * it is counted in `messagesDropped`, published on `zocalo:error` of `node:diagnostics_channel` with its sender and the
 * error, and the next one is taken. It never makes a call fail.
 *
 * This object keeps nothing of the mailbox to itself: datagrams may still be received from the mailbox directly, each goes to
 * who asks first, and several codecs can share one mailbox for sending. Closing it closes the mailbox.
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
export interface FramedDatagrams<In, Out, Socket> extends AsyncDisposable, AsyncIterable<ReceivedMessage<Out>> {
  /** The mailbox beneath. */
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
  receive(options?: OperationOptions): Promise<ReceivedMessage<Out>>;
  /** Iterates over `receive()` until the mailbox is closed. `break` neither closes it nor loses a message. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ReceivedMessage<Out>>;
  /**
   * Iterates over arrays of messages, all that wait at each step and at least one. Messages that are bytes, or
   * hold views of them, are valid until the next step.
   */
  batches(): AsyncIterableIterator<readonly ReceivedMessage<Out>[]>;
  /** Closes the mailbox. Pending calls reject with `CLOSED`, iterations end. */
  close(options?: OperationOptions): Promise<void>;
}
