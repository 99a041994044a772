/** The public contract of the datagram socket: a socket that sends and receives datagrams. UDP and simulated sockets keep it. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import type { ZocaloError } from "../../core/errors.ts";
import type { Codec } from "../../core/framing/codec.ts";
import type { OverflowPolicy } from "../../core/options/check-options.ts";
import type { Datagram } from "../network/network.ts";
import type { OperationOptions, ReceiveOptions } from "../operation/deadline.ts";
import type { NativeInterop } from "../operation/own-clock.ts";
import type { SendReport } from "./owner.ts";

export type { Datagram } from "../network/network.ts";
export type { SendReport } from "./owner.ts";

/**
 * The payload of one datagram: one piece, or many that are sent together as one datagram. Strings are sent as UTF-8, each by
 * itself; one with half of a surrogate pair, which has none, is `OPTION_INVALID`.
 */
export type DatagramInput = string | Uint8Array | readonly (string | Uint8Array)[];

/** One item of {@link DatagramSocket.sendMany}. */
export interface DatagramToSend {
  /** The whole payload; it may be reused when the call settles. */
  readonly data: DatagramInput;
  /** The receiver; left out on a connected socket, and only there. */
  readonly to?: AddressLike | undefined;
}

/** Limits of a datagram socket; each is there by default. */
export interface DatagramLimits {
  /**
   * Datagrams that may wait for `receive`. Default 4096: a burst that a busy program catches up with in some milliseconds.
   * Checked after each batch of the network, so that one batch more may be held for a moment.
   */
  readonly maxReceiveQueueDatagrams?: number | undefined;
  /**
   * Payload bytes that may wait for `receive`. Default 4194304 (4 MiB). One datagram is always kept, however large. What the
   * datagrams pin in memory beside their payload, about 320 bytes each, may be 2 MiB more.
   */
  readonly maxReceiveQueueBytes?: number | undefined;
  /** Datagrams that may wait in `send` calls that were not awaited; more rejects with `QUEUE_FULL`. Default 4096. */
  readonly maxSendQueueDatagrams?: number | undefined;
  /**
   * Payload bytes that may wait likewise. Default 4194304 (4 MiB). A single call is always accepted when nothing waits. What
   * the calls pin in memory beside the payload, about 1,000 bytes each, may be 2 MiB more: send many with one `sendMany`.
   */
  readonly maxSendQueueBytes?: number | undefined;
  /**
   * Largest payload in bytes; a larger one rejects with `DATAGRAM_TOO_LARGE` before the kernel is asked. Default: what UDP
   * can carry, 65507 to an IPv4 and 65527 to an IPv6 address (RFC 768 with RFC 791 and RFC 8200 section 3). Above about
   * 1200 the network may have to fragment, and losing one fragment loses the datagram (RFC 8085 section 3.2).
   */
  readonly maxDatagramBytes?: number | undefined;
}

/** What the kernel is told about a UDP socket. */
export interface UdpOptions {
  /**
   * Lets several sockets bind the address (SO_REUSEADDR). Default: true for a multicast group, where each of them gets
   * every datagram; false otherwise, because on Linux the newest socket would silently take the datagrams of the others.
   */
  readonly reuseAddress?: boolean | undefined;
  /** Several processes bind one port and the kernel spreads the senders over them (SO_REUSEPORT). Default false. */
  readonly reusePort?: boolean | undefined;
  /** On `[::]`, take IPv6 only. Default false: IPv4 peers come too, with their IPv4 addresses. */
  readonly ipv6Only?: boolean | undefined;
  /** Size of the kernel's receive buffer in bytes; the kernel caps it (Linux: net.core.rmem_max). Default: the system's. */
  readonly receiveBufferBytes?: number | undefined;
  /** Size of the kernel's send buffer in bytes; the kernel caps it (Linux: net.core.wmem_max). Default: the system's. */
  readonly sendBufferBytes?: number | undefined;
}

/** Options of `bind`. `signal` and `timeoutMs` end the opening only; they never close an open datagram socket. */
export interface BindOptions extends OperationOptions {
  /**
   * Connects the datagram socket to one peer: only its datagrams arrive, `send` takes no address, and when its machine says
   * that nobody listens there (ICMP port unreachable) the next call rejects with `CONNECTION_REFUSED`. A name is looked up
   * once, now. No packet is sent: UDP has no handshake.
   */
  readonly remote?: AddressLike | undefined;
  /** Bounds of its queues and of one datagram. */
  readonly limits?: DatagramLimits | undefined;
  /**
   * What gives way when the receive queue is full. Default `drop-oldest`: datagrams age, and under overload the oldest
   * question is the one whose sender has already given up or asked again, so that answering the newest keeps a service
   * useful where answering in order would make every answer late.
   *
   * - `drop-oldest`, `drop-newest`: the oldest datagram in the queue is dropped, or the one that arrives.
   * - `block`: nothing is taken from the kernel until there is room; what it drops then is not counted here. Costs nothing under
   *   a flood. `UNSUPPORTED` on a runtime that cannot stop receiving.
   * - `strict`: no loss goes unnoticed. What is in the queue is still given out; then one call rejects with `QUEUE_FULL` and
   *   says how many datagrams were dropped at that place, and reception goes on.
   */
  readonly overflow?: OverflowPolicy | undefined;
  /** How long the addresses of a host name are used before it is looked up again, in milliseconds. Default 60000. */
  readonly dnsMaxAgeMs?: number | undefined;
  /** What the kernel is told about the socket. */
  readonly udp?: UdpOptions | undefined;
}

/** Which senders and which network interface a group is joined for. */
export interface GroupOptions {
  /** Where to join: an interface's name (`lo`, `eth0`) or one of its addresses. Default: the system chooses. */
  readonly interface?: string | undefined;
  /** Only datagrams of this sender, an IP address (source-specific multicast, RFC 4607). Default: any sender (RFC 1112). */
  readonly source?: string | undefined;
}

/**
 * What only UDP has: `socket.udp`. Each call throws `OPTION_INVALID` for an argument that cannot be, and `CLOSED` when the
 * datagram socket is closed.
 */
export interface UdpSettings {
  /**
   * Joins a multicast group, so that what is sent to it arrives here too. Binding `udp://239.1.2.3:5000?interface=lo` does
   * it at once. Throws `ADDRESS_INVALID` for an address that is no group, `ADDRESS_NOT_AVAILABLE` for an unknown interface,
   * `ADDRESS_IN_USE` when it is joined already.
   */
  joinGroup(group: string | Address, options?: GroupOptions): void;
  /** Leaves a group that was joined with the same options. */
  leaveGroup(group: string | Address, options?: GroupOptions): void;
  /** Permits sending to broadcast addresses (RFC 919). Off at first. */
  setBroadcast(on: boolean): void;
  /** The most routers that datagrams to one receiver may pass, 1 to 255. At first the system's default, often 64. */
  setTtl(hops: number): void;
  /** The same for multicast, 0 (this machine only) to 255. At first 1: this network only (RFC 1112 section 6.1). */
  setMulticastTtl(hops: number): void;
  /** Whether groups on this machine get what this datagram socket sends to them. On at first. */
  setMulticastLoopback(on: boolean): void;
  /** Where multicast goes out: an interface's name or one of its addresses. Throws `ADDRESS_NOT_AVAILABLE`. */
  setMulticastInterface(nameOrAddress: string): void;
  /** The sizes of the kernel's buffers as it reports them; Linux reports twice what was asked for (socket(7)). */
  bufferSizes(): { readonly receiveBytes: number; readonly sendBytes: number };
}

/** Options of {@link DatagramSocket.close}. */
export interface DatagramCloseOptions extends OperationOptions {
  /** Longest wait in milliseconds in which the kernel takes nothing of what was accepted. Default 2000; 0 drops it. */
  readonly lingerMs?: number | undefined;
}

/** How a datagram socket came to its end. */
export interface DatagramEnd {
  /** `closed`: this program closed it; `aborted`: this program gave it up; `failed`: the system took it away. */
  readonly how: "closed" | "aborted" | "failed";
  /** What went wrong; missing after `closed`. */
  readonly error?: ZocaloError | undefined;
}

/** What a datagram socket has counted since it was opened. */
export interface DatagramStats {
  /** Datagrams taken from the network, those that were then dropped included. */
  readonly datagramsReceived: number;
  /** Their bytes. */
  readonly bytesReceived: number;
  /** Datagrams dropped by the receive queue's policy. */
  readonly datagramsDropped: number;
  /** Their bytes. */
  readonly bytesDropped: number;
  /** Datagrams in the receive queue now. */
  readonly datagramsWaiting: number;
  /** Their bytes. */
  readonly bytesWaiting: number;
  /** Datagrams that the kernel has taken. */
  readonly datagramsSent: number;
  /** Their bytes. */
  readonly bytesSent: number;
  /** Datagrams in `send` calls that have not settled. */
  readonly datagramsUnsent: number;
  /** Memory that the datagrams of both queues pin, in bytes: their payload, and some hundred bytes for each. */
  readonly heldBytes: number;
}

/**
 * A datagram socket: it sends and receives datagrams (UDP, RFC 768). Each arrives whole or not at all; it may be lost, doubled or
 * overtaken, and nobody is told. The datagram socket keeps nothing about those it talks to.
 *
 * Every operation takes `{ signal, timeoutMs }`. A time-out rejects with `TIMEOUT`, an abort with the signal's reason;
 * either ends that one call and leaves the datagram socket usable. When this program closes the datagram socket, pending calls reject with
 * `CLOSED` and iterations end.
 *
 * `await using` closes it.
 *
 * @example
 * ```ts
 * import { bind } from "zocalo";
 * await using box = await bind("udp://127.0.0.1:0");
 * await using caller = await bind("udp://127.0.0.1:0");
 * await caller.send("hola", box.localAddress);
 * const { data, from } = await box.receive({ timeoutMs: 1_000 });
 * console.log(String(data), from.equals(caller.localAddress)); // hola true
 * ```
 */
export interface DatagramSocket extends AsyncDisposable, AsyncIterable<Datagram> {
  /** The own address, with the port that the system chose. */
  readonly localAddress: Address;
  /** The peer of a connected datagram socket; undefined otherwise. */
  readonly remoteAddress: Address | undefined;
  /** A snapshot of the counters. */
  readonly stats: DatagramStats;
  /** Resolves when the datagram socket is closed, and says how. Never rejects. */
  readonly closed: Promise<DatagramEnd>;
  /** Aborts when the datagram socket is closed; its reason is a `ZocaloError`. */
  readonly signal: AbortSignal;
  /** What only UDP has: groups, broadcast, hops, the kernel's buffers. */
  readonly udp: UdpSettings;
  /** What ties it to this process: the object beneath (`dgram.Socket`), `ref` and `unref`. */
  readonly interop: NativeInterop;

  /**
   * Sends one datagram. Resolves when the kernel has it: that is the backpressure, and from then on the input may be
   * reused. It does not mean that anybody received it. An empty datagram is a datagram.
   *
   * `to` is an address (`udp://host:port`, or without the scheme). A host name is looked up on first use and again after
   * `dnsMaxAgeMs`, never on each send. On a connected datagram socket `to` must be left out, elsewhere it must be given
   * (`OPTION_INVALID`).
   *
   * Concurrent sends to one receiver go out in the order of the calls; one that waits for a name does not hold up others. A
   * send that is cancelled while it waits is removed (`outcome: "none"`); one that the kernel is working on completes
   * (`outcome: "all"`).
   *
   * Rejects with `DATAGRAM_TOO_LARGE`, `QUEUE_FULL`, `ADDRESS_INVALID` (also for an address of a family that this datagram socket
   * cannot reach), `NAME_NOT_FOUND`, `NAME_LOOKUP_FAILED`, `HOST_UNREACHABLE`, `NETWORK_UNREACHABLE`, `PERMISSION_DENIED`
   * (say, a broadcast without `setBroadcast`), `NO_BUFFER_SPACE`, `CLOSED`; nothing was sent then (`outcome: "none"`). On a
   * connected datagram socket it rejects with `CONNECTION_REFUSED` when an earlier datagram found nobody; the next one is sent.
   */
  send(data: DatagramInput, to?: AddressLike, options?: OperationOptions): Promise<void>;
  /**
   * Sends many datagrams in one call, in order, each on its own: one that the kernel refuses does not stop the others.
   * Resolves with what happened when the kernel has decided on all of them. Input that is wrong in itself (an address, a
   * size) rejects before anything is sent, as `send` does; so does a name that cannot be looked up.
   *
   * The array and its bytes must not change before the promise settles. When it is cancelled after it has begun, the rest
   * is sent in the background from a copy (`outcome: "all"`).
   *
   * @example
   * ```ts
   * import { bind } from "zocalo";
   * await using box = await bind("udp://127.0.0.1:0");
   * await using news = await bind("udp://127.0.0.1:0", { remote: box.localAddress });
   * const { sent } = await news.sendMany(["uno", "dos", "tres"].map((data) => ({ data })));
   * console.log(sent, (await box.receiveMany(10)).length > 0); // 3 true
   * ```
   */
  sendMany(items: readonly DatagramToSend[], options?: OperationOptions): Promise<SendReport>;

  /**
   * The next datagram, which belongs to the caller. Concurrent calls are served first come first served; a cancelled call
   * consumes nothing. Rejects with `CLOSED` when the datagram socket is closed, with `QUEUE_FULL` after a loss under the policy
   * `strict`, and on a connected datagram socket with `CONNECTION_REFUSED` when nobody listens at the peer's port; after these
   * two the datagram socket goes on.
   */
  receive(options?: OperationOptions & { readonly until?: undefined }): Promise<Datagram>;
  /** As above; null when `until` aborts. */
  receive(options: ReceiveOptions): Promise<Datagram | null>;
  /** The datagrams that are there, at least one and at most `maxDatagrams`; waits for the first. Else as `receive`. */
  receiveMany(maxDatagrams: number, options?: OperationOptions): Promise<Datagram[]>;
  /**
   * Iterates over `receive(options)` until the datagram socket is closed; `timeoutMs` is for each datagram. `break` and `until`
   * neither close it nor lose a datagram. An error that `receive` would reject with ends the loop, not the datagram socket.
   *
   * @example
   * ```ts
   * import { bind } from "zocalo";
   * await using box = await bind("udp://127.0.0.1:0");
   * const enough = new AbortController();
   * await box.send("eco", box.localAddress);
   * for await (const { data } of box.datagrams({ timeoutMs: 1_000, until: enough.signal })) {
   *   console.log(String(data)); // eco
   *   enough.abort();
   * }
   * ```
   */
  datagrams(options?: ReceiveOptions): AsyncIterableIterator<Datagram>;
  /** As `datagrams()`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Datagram>;
  /**
   * Iterates over arrays of datagrams, all that wait at each step (at most 1024): one step of the loop for many
   * datagrams. An array and its datagrams are valid until the next step; copy the bytes that you keep.
   *
   * @example
   * ```ts
   * import { bind } from "zocalo";
   * await using box = await bind("udp://127.0.0.1:0");
   * await box.send("eco", box.localAddress);
   * for await (const batch of box.batches()) {
   *   for (const { data } of batch) console.log(String(data)); // eco
   *   break;
   * }
   * ```
   */
  batches(options?: ReceiveOptions): AsyncIterableIterator<readonly Datagram[]>;
  /**
   * Calls `handler` for each datagram. Resolves when the datagram socket is closed, or `until` aborts; rejects when a step of
   * `datagrams(options)` would, and with what the handler throws: in either case what comes behind it stays for whoever
   * receives next. Nobody has to await it: its rejection is never an unhandled one, but for `OPTION_INVALID`.
   */
  onDatagrams(handler: (datagram: Datagram) => void, options?: ReceiveOptions): Promise<void>;
  /** Messages instead of bytes, by a codec of `zocalo/framing`: one for each datagram. Other datagrams are dropped and counted. */
  framed<In, Out = In>(codec: Codec<In, Out>): FramedDatagrams<In, Out>;

  /**
   * Closes: no more is received, what is in the receive queue is dropped, pending receives reject with `CLOSED`. What
   * `send` accepted still goes to the kernel, until that takes nothing for `lingerMs`; what has not gone by then rejects with `CLOSED`, and
   * `close` with `TIMEOUT`. A second call shares the outcome of the first.
   */
  close(options?: DatagramCloseOptions): Promise<void>;
  /** Closes at once and drops what waits: pending calls reject with `CONNECTION_ABORTED`, whose `cause` is `reason`. */
  abort(reason?: unknown): void;
}

/** Messages over a datagram socket: what `box.framed(codec)` returns. See {@link FramedDatagramsOver}. */
export type FramedDatagrams<In, Out = In> = FramedDatagramsOver<In, Out, DatagramSocket>;

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
  onMessages(handler: (message: ReceivedMessage<Out>) => void, options?: ReceiveOptions): Promise<void>;
  /** Closes the datagram socket. Pending calls reject with `CLOSED`, iterations end. */
  close(options?: OperationOptions): Promise<void>;
  /** As that of the datagram socket. */
  abort(reason?: unknown): void;
}
