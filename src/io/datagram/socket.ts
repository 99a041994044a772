/** The one implementation of {@link DatagramSocket}, over any network's transport. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import { ConnectionError, TimeoutError, UsageError, ZocaloError } from "../../core/errors.ts";
import type { Codec } from "../../core/framing/codec.ts";
import { showAs } from "../../core/show-as.ts";
import type { Network } from "../network/network.ts";
import type { Datagram, DatagramSink, DatagramTransport, OutgoingDatagram } from "../network/datagrams.ts";
import { checkOptions, CODEC, LIST, optionInvalid, shown } from "../../core/options/check-options.ts";
import {
  type OperationContext,
  type OperationOptions,
  type ReceiveOptions,
  refusedAtOnce,
} from "../operation/deadline.ts";
import { withDeadline } from "../operation/within.ts";
import { publish } from "../operation/diagnostics.ts";
import { EndAnnouncement } from "../operation/end-announcement.ts";
import { handled } from "../operation/handled-rejection.ts";
import { type NativeInterop, OwnClock, transportInterop } from "../operation/own-clock.ts";
import { whileMoving } from "../stream/linger.ts";
import { Destinations, outgoing } from "./destinations.ts";
import { collect } from "./collect.ts";
import { FramedDatagrams } from "./framed-datagrams.ts";
import type { DatagramPartOwner, SendReport } from "./owner.ts";
import { DatagramInbound, datagramSocketClosed } from "./inbound.ts";
import { DatagramOutbound } from "./outbound.ts";
import {
  CLOSE_RULES,
  type CollectOptions,
  type DatagramCloseOptions,
  type DatagramSettings,
  DEFAULT_CLOSE_LINGER_MS,
} from "./settings.ts";
import type * as api from "./public.ts";
import { BATCH_DATAGRAMS, loopOver, pushTo, TAKE_ONE, takeMany } from "./queue.ts";
import { UdpSettings } from "./udp.ts";

/** A datagram socket over a transport. */
export class DatagramSocket implements api.DatagramSocket, DatagramSink, DatagramPartOwner {
  readonly clock: OwnClock;
  readonly transport: DatagramTransport;
  readonly #settings: DatagramSettings;
  readonly inbound: DatagramInbound;
  readonly #outbound: DatagramOutbound;
  readonly #destinations: Destinations;
  readonly #announcement = new EndAnnouncement<api.DatagramEnd>();
  #closing: Promise<void> | undefined;
  #end: api.DatagramEnd = { how: "closed" };

  static {
    showAs(DatagramSocket, "DatagramSocket", (datagramSocket) => ({
      localAddress: datagramSocket.localAddress,
      remoteAddress: datagramSocket.remoteAddress,
      stats: datagramSocket.stats,
    }));
  }

  /** `families`: those that the datagram socket can send to, the preferred one first. */
  constructor(
    network: Network,
    transport: DatagramTransport,
    settings: DatagramSettings,
    families: readonly (4 | 6)[],
  ) {
    this.clock = new OwnClock(network.clock);
    this.transport = transport;
    this.#settings = settings;
    this.#destinations = new Destinations(this, network.sockets, families, settings.dnsMaxAgeMs);
    this.inbound = new DatagramInbound(this, settings.receiveQueue);
    this.#outbound = new DatagramOutbound(this, this.#destinations, settings.sendQueue);
    publish("open", () => ({ kind: "datagram", ...this.#names() }), this);
    transport.start(this);
  }

  get localAddress(): Address {
    return this.transport.localAddress;
  }
  get remoteAddress(): Address | undefined {
    return this.transport.remoteAddress;
  }

  get stats(): api.DatagramStats {
    const { received, bytesReceived, dropped, bytesDropped, queue } = this.inbound;
    const { sent, bytesSent, unsent, heldBytes } = this.#outbound;
    return {
      datagramsReceived: received,
      bytesReceived,
      datagramsDropped: dropped,
      bytesDropped,
      datagramsWaiting: queue.length,
      bytesWaiting: queue.bytes,
      datagramsSent: sent,
      bytesSent,
      datagramsUnsent: unsent,
      heldBytes: queue.heldBytes + heldBytes,
    };
  }

  get closed(): Promise<api.DatagramEnd> {
    return this.#announcement.closed;
  }
  get signal(): AbortSignal {
    return this.#announcement.signal;
  }

  send(data: api.DatagramInput, to?: AddressLike, options?: OperationOptions): Promise<void> {
    try {
      return handled(this.#sendOne(this.#outgoing(data, to, "send"), options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #sendOne(item: OutgoingDatagram, options: OperationOptions | undefined): Promise<void> {
    const { failures } = await this.#outbound.send("send", [item], item.data.length, options);
    if (failures[0] !== undefined) throw failures[0].error;
  }

  sendMany(items: readonly api.DatagramToSend[], options?: OperationOptions): Promise<SendReport> {
    try {
      if (!LIST.holds(items)) checkOptions(this.context("sendMany"), { items }, { items: LIST });
      let bytes = 0;
      // A hole counts as undefined.
      const batch = Array.from(items, (each: api.DatagramToSend | null | undefined) => {
        const item = this.#outgoing(each?.data, each?.to, "sendMany");
        bytes += item.data.length;
        return item;
      });
      return handled(this.#outbound.send("sendMany", batch, bytes, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  receive(options?: OperationOptions & { readonly until?: undefined }): Promise<Datagram>;
  receive(options: ReceiveOptions): Promise<Datagram | null>;
  receive(options?: ReceiveOptions): Promise<Datagram | null> {
    return this.inbound.receive(TAKE_ONE, options);
  }

  receiveMany(maxDatagrams: number, options?: OperationOptions): Promise<Datagram[]> {
    if (!(maxDatagrams === Number.POSITIVE_INFINITY || (Number.isInteger(maxDatagrams) && maxDatagrams >= 1))) {
      const detail = `maxDatagrams must be a whole number from 1 on, or Infinity, not ${shown(maxDatagrams)}`;
      return Promise.reject(optionInvalid(this.context("receiveMany"), detail));
    }
    return this.inbound.receive(takeMany(maxDatagrams), options);
  }

  collect(options: CollectOptions): Promise<Datagram[]> {
    return collect(this, this.inbound, (datagram) => datagram, options);
  }

  datagrams(options?: ReceiveOptions): AsyncIterableIterator<Datagram> {
    return loopOver(this.inbound, "receive", (queue) => queue.shift(), options);
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<Datagram> {
    return this.datagrams();
  }
  batches(options?: ReceiveOptions): AsyncIterableIterator<readonly Datagram[]> {
    return loopOver(this.inbound, "batches", (queue) => queue.take(BATCH_DATAGRAMS), options);
  }
  onDatagrams(handler: (datagram: Datagram) => unknown, options?: ReceiveOptions): Promise<void> {
    const loop = loopOver(this.inbound, "onDatagrams", (queue) => queue.shift(), options);
    return pushTo(handler, loop, options, () => this.context("onDatagrams"));
  }
  framed<In, Out = In>(codec: Codec<In, Out>): api.FramedDatagrams<In, Out> {
    checkOptions(this.context("framed"), { codec }, { codec: CODEC });
    return new FramedDatagrams(this, codec);
  }

  get udp(): api.UdpSettings {
    return new UdpSettings(this);
  }
  get interop(): NativeInterop {
    return transportInterop(this.clock, this.transport);
  }

  async close(options: DatagramCloseOptions = {}): Promise<void> {
    const context = this.context("close");
    const { lingerMs = DEFAULT_CLOSE_LINGER_MS, ...operation } = checkOptions(context, options, CLOSE_RULES);
    const refused = refusedAtOnce(operation, () => context);
    if (refused !== undefined) throw refused.reason;
    this.#closing ??= this.#close(lingerMs);
    this.#closing.catch(() => undefined);
    await withDeadline(this.clock, this.#closing, operation, context);
  }

  abort(cause?: unknown): void {
    const detail = "this program aborted the datagram socket";
    const error = new ConnectionError("CONNECTION_ABORTED", { ...this.context("abort"), detail, cause });
    this.#lose({ how: "aborted", error }, error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Names this datagram socket in an error. */
  context(op: string, remote?: string): OperationContext {
    const names = this.#names();
    return { op, local: names.local, remote: remote ?? names.remote };
  }

  takeError(): ZocaloError | undefined {
    return this.inbound.takeError();
  }

  // What the transport reports.

  received(batch: readonly Datagram[]): void {
    this.inbound.arrived(batch);
  }

  failed(cause: unknown, fatal: boolean): void {
    if (this.#closing !== undefined) return;
    const known = cause instanceof ZocaloError;
    const error = known ? cause : new ZocaloError("SYSTEM_ERROR", { ...this.context("receive"), cause });
    if (!fatal) return this.inbound.report(error);
    const lost = new ConnectionError(error.code, { ...this.context("receive"), detail: error.detail, cause: error });
    this.#lose({ how: "failed", error: lost }, lost);
  }

  /** It ends now, also when it is being closed. */
  #lose(end: api.DatagramEnd, error: ZocaloError): void {
    this.#end = end;
    if (this.#closing === undefined) {
      const over = (): void => this.#over();
      this.#closing = this.transport.close().then(over, over);
      this.inbound.over(error, false);
    }
    this.#outbound.fail(error);
  }

  #outgoing(data: api.DatagramInput | undefined, to: AddressLike | undefined, op: string): OutgoingDatagram {
    const peer = this.remoteAddress;
    if ((to === undefined) === (peer === undefined)) {
      const detail =
        peer === undefined
          ? "no destination: pass an address, or bind with { remote }"
          : "leave the address out: this datagram socket is connected to one peer";
      throw new UsageError("OPTION_INVALID", { ...this.context(op), detail, outcome: "none" });
    }
    const address = to === undefined ? undefined : this.#destinations.read(to, op);
    return outgoing(data, address, peer, this.#settings.maxDatagramBytes, (name) => this.context(op, name));
  }

  open(op: string): DatagramTransport {
    if (this.#closing !== undefined) throw datagramSocketClosed(this, op);
    return this.transport;
  }

  async #close(lingerMs: number): Promise<void> {
    this.inbound.over(datagramSocketClosed(this, "close"), true);
    const flushed = new Promise<void>((resolve) => this.#outbound.close(resolve));
    // It ends: the kernel decides about each datagram, and no other one is accepted.
    const late = !(await whileMoving(this.clock, flushed, lingerMs, Infinity, () => this.#outbound.unsent));
    if (late) this.#outbound.fail(datagramSocketClosed(this, "close"));
    await this.transport.close();
    this.#over();
    if (!late) return;
    const detail = `what was sent could not be handed to the kernel, which took nothing for lingerMs (${lingerMs})`;
    throw new TimeoutError("TIMEOUT", { ...this.context("close"), detail, outcome: "unknown" });
  }

  #over(): void {
    const end = this.#end;
    publish("close", () => ({ kind: "datagram", ...this.#names(), how: end.how, error: end.error }), this);
    this.#announcement.tell(end, end.error ?? datagramSocketClosed(this, "close"));
  }

  #names(): { readonly local: string; readonly remote: string | undefined } {
    return { local: this.localAddress.toString(), remote: this.remoteAddress?.toString() };
  }
}
