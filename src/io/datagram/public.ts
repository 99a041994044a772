/** The public contract of a datagram socket. UDP and simulated sockets keep it. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import type { ZocaloError } from "../../core/errors.ts";
import type { Codec } from "../../core/framing/codec.ts";
import type { Datagram } from "../network/datagrams.ts";
import type { OperationOptions, ReceiveOptions } from "../operation/deadline.ts";
import type { NativeInterop } from "../operation/own-clock.ts";
import type { FramedDatagramsOver } from "./framed-public.ts";
import type { SendReport } from "./owner.ts";
import type { CollectOptions, DatagramCloseOptions, GroupOptions } from "./settings.ts";

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

/**
 * What only UDP has: `socket.udp`. Its functions may be taken off; they throw `OPTION_INVALID`, and `CLOSED` behind `close`
 * (`kernelDrops` rejects with it).
 */
export interface UdpSettings {
  /**
   * Joins a multicast group: what is sent to it arrives here too. To bind `udp://239.1.2.3:5000?interface=lo` does it at once.
   * Throws `ADDRESS_INVALID` (no group), `ADDRESS_NOT_AVAILABLE` (unknown interface) and `ADDRESS_IN_USE` (joined already).
   */
  joinGroup(this: void, group: string | Address, options?: GroupOptions): void;
  /** Leaves a group that was joined with the same options. */
  leaveGroup(this: void, group: string | Address, options?: GroupOptions): void;
  /** Permits sending to broadcast addresses (RFC 919). Off at first. */
  setBroadcast(this: void, on: boolean): void;
  /** The most routers that datagrams to one receiver may pass, 1 to 255. At first the system's default, often 64. */
  setTtl(this: void, hops: number): void;
  /** The same for multicast, 0 (this machine only) to 255. At first 1: this network only (RFC 1112 section 6.1). */
  setMulticastTtl(this: void, hops: number): void;
  /** Whether groups on this machine get what this datagram socket sends to them. On at first. */
  setMulticastLoopback(this: void, on: boolean): void;
  /** Where multicast goes out: an interface's name or one of its addresses. Throws `ADDRESS_NOT_AVAILABLE`. */
  setMulticastInterface(this: void, nameOrAddress: string): void;
  /** The sizes of the kernel's buffers as it reports them; Linux reports twice what was asked for (socket(7)). */
  bufferSizes(this: void): { readonly receiveBytes: number; readonly sendBytes: number };
  /**
   * Datagrams that the kernel has dropped at this socket since it was opened: they found its receive buffer full, or their
   * checksum was wrong. `stats` does not count them, because the program never saw them. Undefined where the system does not tell:
   * anywhere but on Linux. A method and not a counter of `stats`, because each call reads a table of the kernel
   * (/proc/net/udp, one line for each socket of the machine): ask every some seconds, not for each datagram.
   *
   * @example
   * ```ts
   * import { bind } from "zocalo";
   * await using box = await bind("udp://127.0.0.1:0");
   * const lost = { kernel: await box.udp.kernelDrops(), queue: box.stats.datagramsDropped };
   * console.log(lost.kernel ?? "unknown", lost.queue);
   * ```
   */
  kernelDrops(this: void): Promise<number | undefined>;
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
  /** Datagrams dropped by the receive queue's policy. Those that the kernel dropped before: `udp.kernelDrops()`. */
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
 * Every operation takes `{ signal, timeoutMs }`. A time-out rejects with `TIMEOUT`, an abort with the signal's reason; either
 * ends that one call only. When this program closes the datagram socket (`await using` does), pending calls reject with `CLOSED`
 * and iterations end.
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
   * `to` is an address (`udp://host:port`, or without the scheme), and is left out on a connected datagram socket only
   * (`OPTION_INVALID`). A host name is looked up on first use and again after `dnsMaxAgeMs`, never on each send.
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
   * The array and its bytes must not change before the promise settles. Cancelled after it has begun, it sends the rest in the
   * background from a copy (`outcome: "all"`).
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
   * Gathers the datagrams that come within `forMs`: ask a group or a broadcast address once, and gather the answers. Resolves with an
   * array, in the order of arrival, that is empty when nothing came. Ends early when there are `max` (1024), or
   * `limits.maxReceiveQueueBytes` of payload, or when `until` aborts. Rejects as `receive` does; what it has gathered by then stays
   * for whoever receives next, unless the datagram socket is closed.
   *
   * @example
   * ```ts
   * import { bind, serveDatagrams } from "zocalo";
   * await using printer = await serveDatagrams("udp://239.255.7.18:0?interface=127.0.0.1", () => "a printer");
   * await using box = await bind("udp://127.0.0.1:0");
   * box.udp.setMulticastInterface("127.0.0.1");
   * await box.send("who is there?", printer.localAddress);
   * for (const { data } of await box.collect({ forMs: 200 })) console.log(String(data)); // a printer
   * ```
   */
  collect(options: CollectOptions): Promise<Datagram[]>;
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
   * Iterates over arrays of datagrams, all that wait at each step, at most 1024. An array and its datagrams are valid until the
   * next step; copy the bytes that you keep.
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
   * Calls `handler` for each datagram, and waits for a promise that it returns before the next one. Resolves when the datagram
   * socket is closed, or `until` aborts; rejects when a step of `datagrams(options)` would, and with what the handler throws, or
   * its promise rejects with: in either case what comes behind it stays for whoever receives next. While it waits for a promise of
   * the handler, nothing else ends it, so that promise must settle. Nobody has to await it: its rejection is never an unhandled
   * one, but for `OPTION_INVALID`. What the handler throws goes to the channel `zocalo:error` too.
   */
  onDatagrams(handler: (datagram: Datagram) => unknown, options?: ReceiveOptions): Promise<void>;
  /** Messages instead of bytes, by a codec of `zocalo/framing`: one for each datagram. Other datagrams are dropped and counted. */
  framed<In, Out = In>(codec: Codec<In, Out>): FramedDatagrams<In, Out>;

  /**
   * Closes: the receive queue is dropped, and pending receives reject with `CLOSED`. What `send` accepted still goes to the kernel,
   * until that takes nothing for `lingerMs`: then the rest rejects with `CLOSED`, and `close` with `TIMEOUT`. Later calls share
   * the outcome of the first.
   */
  close(options?: DatagramCloseOptions): Promise<void>;
  /** Closes at once and drops what waits: pending calls reject with `CONNECTION_ABORTED`, whose `cause` is `reason`. */
  abort(reason?: unknown): void;
}

/** Messages over a datagram socket: what `box.framed(codec)` returns. See {@link FramedDatagramsOver}. */
export type FramedDatagrams<In, Out = In> = FramedDatagramsOver<In, Out, DatagramSocket>;
