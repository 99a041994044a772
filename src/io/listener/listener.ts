/** The one implementation of {@link Listener}, over any network's transport. */

import type { Address } from "../../core/address/address.ts";
import { ZocaloError } from "../../core/errors.ts";
import type { MetricFamily } from "../../core/open-metrics.ts";
import { checkOptions, optionInvalid } from "../../core/options/check-options.ts";
import { showAs } from "../../core/show-as.ts";
import type { ListenerSink, ListenerTransport, Network, StreamTransport } from "../network/network.ts";
import type { TlsOptions } from "../network/tls.ts";
import type { OperationContext, OperationOptions, ReceiveOptions } from "../operation/deadline.ts";
import { publish } from "../operation/diagnostics.ts";
import { type NativeInterop, OwnClock, transportInterop } from "../operation/own-clock.ts";
import { restated } from "../operation/restated.ts";
import type * as streams from "../stream/public.ts";
import type { Announced, ConnectionOwner, StreamSocket } from "../stream/socket.ts";
import { type ServerTls, serverTls, TLS_RULES } from "../stream/tls-settings.ts";
import { AcceptQueue, closedError } from "./accept-queue.ts";
import { Admission } from "./admission.ts";
import { type Arrival, Handshakes, type Rejection } from "./handshakes.ts";
import { ConnectionBytes, listenerFamilies } from "./metrics.ts";
import type * as api from "./public.ts";

/** How a listener hands over connections, for those who stand on it. */
export interface ListenerOptions<Socket extends StreamSocket> {
  /** Makes the socket of a connection that was let in. */
  readonly create: (transport: StreamTransport, announced: Announced | undefined) => Socket;
  /** Takes every connection at once, instead of letting it wait for `accept`. */
  readonly deliver?: ((socket: Socket) => void) | undefined;
  /** A handshake is over: its connection was handed over, or turned away. */
  readonly settled?: (() => void) | undefined;
  /** Where the listener speaks TLS. */
  readonly tls: ServerTls | undefined;
}

/** An open listener over a transport. */
export class Listener<Socket extends StreamSocket> implements api.Listener, ListenerSink, ConnectionOwner {
  readonly #network: Network;
  readonly #clock: OwnClock;
  readonly #transport: ListenerTransport;
  readonly #admission: Admission;
  readonly #listener: ListenerOptions<Socket>;
  /** One object for all connections, because what is made from it is kept with it. */
  #tls: ServerTls | undefined;
  readonly #queue: AcceptQueue<Socket>;
  readonly #handshakes: Handshakes;
  readonly #bytes: ConnectionBytes = new ConnectionBytes();
  #closing: Promise<void> | undefined;
  #shutting: Promise<void> | undefined;
  readonly closed: Promise<api.ListenerEnd>;
  #tellClosed: (end: api.ListenerEnd) => void = () => undefined;

  constructor(
    network: Network,
    transport: ListenerTransport,
    options: api.ListenOptions,
    listener: ListenerOptions<Socket>,
  ) {
    this.#network = network;
    this.#clock = new OwnClock(network.clock);
    this.#transport = transport;
    this.#listener = listener;
    this.#admission = new Admission(options);
    this.#queue = new AcceptQueue(this.#clock, () => this.#context("accept"), options.limits?.maxWaitingConnections);
    this.#handshakes = new Handshakes(this, this.#clock, options);
    this.#tls = listener.tls;
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    publish("open", () => ({ kind: "listener", local: transport.localAddress.toString(), remote: undefined }), this);
    transport.start(this);
  }

  get localAddress(): Address {
    return this.#transport.localAddress;
  }
  get interop(): NativeInterop {
    return transportInterop(this.#clock, this.#transport);
  }
  get stats(): api.ListenerStats {
    const { waiting, heldBytes } = this.#queue;
    return { ...this.#admission.stats, handshakes: this.#handshakes.size, waiting, heldBytes };
  }

  /** Its figures, with those of the connections that may be open. */
  families(connections: Iterable<StreamSocket>): readonly MetricFamily[] {
    return listenerFamilies(this.stats, this.#bytes.with(connections));
  }

  accept(options?: OperationOptions): Promise<streams.StreamSocket> {
    return this.#queue.accept(options);
  }

  connections(options?: ReceiveOptions): AsyncIterableIterator<streams.StreamSocket> {
    return this.#queue.connections(options);
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<streams.StreamSocket> {
    return this.connections();
  }

  setTls(options: TlsOptions): void {
    const context = this.#context("setTls");
    if (this.#tls === undefined) throw optionInvalid(context, "setTls needs a listener with a tls: address");
    const renewed = serverTls(context, checkOptions(context, options, TLS_RULES), "");
    this.#network.sockets.checkTls(renewed, context, "");
    this.#tls = renewed;
  }

  /** Whether others may accept at the same address. */
  get isShared(): boolean {
    return this.#transport.isShared === true;
  }
  /** Handshakes that are under way. */
  get handshakes(): number {
    return this.#handshakes.size;
  }

  /** Stops accepting, until `close`; handshakes that are under way go on. */
  shut(): Promise<void> {
    this.#shutting ??= this.#transport.close();
    return this.#shutting;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // What the handshakes and the connections tell.

  get currentTls(): ServerTls | undefined {
    return this.#tls;
  }
  admit(peer: Address): api.RefusalReason | undefined {
    return this.#admission.admit(peer);
  }
  /** A connection is over: its place is free. */
  over(connection: StreamSocket): void {
    this.#admission.leave();
    this.#admission.dismiss(connection.remoteAddress);
    this.#bytes.add(connection);
  }

  // What the transport reports.

  accepted(transport: StreamTransport): void {
    const reason = this.#closing === undefined ? this.#admission.enter(() => this.#handshakes.oust()) : "closing";
    if (reason !== undefined) this.#refuse(transport, transport.remoteAddress, reason);
    else {
      void this.#letIn(transport).catch((error: unknown) => {
        this.#admission.leave();
        this.failed(error);
      });
    }
  }

  failed(error: unknown): void {
    publish("error", () => ({ kind: "listener", local: this.localAddress.toString(), remote: undefined, error }));
  }

  /** From an accepted transport to a socket: the lists, the PROXY header, TLS. */
  async #letIn(transport: StreamTransport): Promise<void> {
    const trusted = this.#admission.trusts(transport.remoteAddress);
    if (!trusted && this.#tls === undefined) {
      const reason = this.#admission.admit(transport.remoteAddress);
      if (reason === undefined) this.#handOver(transport);
      else this.#turnAway(transport, transport.remoteAddress, reason);
      return;
    }
    const result = await this.#handshakes.run(transport, trusted);
    this.#handedOn(transport, result);
    this.#listener.settled?.();
  }

  #handedOn(transport: StreamTransport, result: Arrival | Rejection): void {
    if ("transport" in result) {
      this.#handOver(result.transport, result.peer, result.unread);
      return;
    }
    const { reason, remote, admitted, cause } = result;
    if (admitted) this.#admission.dismiss(remote);
    this.#turnAway(transport, remote, reason);
    if (reason !== "handshake") return;
    publish("error", () => {
      const context = { ...this.#context("handshake"), remote: remote.toString() };
      const error = cause instanceof ZocaloError ? restated(cause, context) : cause;
      return { kind: "stream", local: context.local, remote: context.remote, error };
    });
  }

  /** `unread` are bytes that came behind a PROXY header; the transport is then paused. */
  #handOver(transport: StreamTransport, peer?: Announced, unread?: Uint8Array): void {
    const remote = peer?.remoteAddress ?? transport.remoteAddress;
    const full = this.#listener.deliver === undefined && this.#queue.isFull;
    if (full || this.#closing !== undefined) {
      this.#admission.dismiss(remote);
      this.#turnAway(transport, remote, full ? "max-waiting-connections" : "closing");
      return;
    }
    this.#admission.accepted += 1;
    const socket = this.#listener.create(transport, peer);
    socket.belongsTo(this);
    if (unread !== undefined) {
      transport.resume();
      if (unread.length > 0) socket.received(unread);
    }
    if (this.#listener.deliver === undefined) this.#queue.push(socket);
    else this.#listener.deliver(socket);
  }

  #turnAway(transport: StreamTransport, remote: Address, reason: api.RefusalReason): void {
    this.#admission.leave();
    this.#refuse(transport, remote, reason);
  }

  /** Surplus connections see a reset, never a clean end that would look like an empty answer. */
  #refuse(transport: StreamTransport, remote: Address, reason: api.RefusalReason): void {
    this.#admission.refused[reason] += 1;
    transport.reset();
    publish("refusal", () => {
      return { kind: "listener", local: this.localAddress.toString(), remote: remote.toString(), reason };
    });
  }

  async #close(): Promise<void> {
    this.#handshakes.giveUp(closedError(this.#context("accept")));
    this.#queue.close();
    await this.shut();
    const local = this.localAddress.toString();
    publish("close", () => ({ kind: "listener", local, remote: undefined, how: "closed" }), this);
    this.#tellClosed({ how: "closed" });
  }

  #context(op: string): OperationContext {
    return { op, local: this.localAddress.toString() };
  }
}
showAs(Listener, "Listener", ({ localAddress, stats }) => ({ localAddress, stats }));
