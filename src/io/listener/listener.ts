/** The one implementation of {@link Listener}, over any network's transport. */

import { showAs } from "../../core/show-as.ts";
import type { Address } from "../../core/address/address.ts";
import { ConnectionError, UsageError, ZocaloError } from "../../core/errors.ts";
import { HELD } from "../../core/held-bytes.ts";
import { Admission } from "./admission.ts";
import type { Announced, ConnectionOwner, StreamSocket } from "../stream/socket.ts";
import {
  expiryReason,
  type OperationContext,
  type OperationOptions,
  type ReceiveOptions,
  receiveRefused,
  refusedAtOnce,
  timeoutError,
} from "../operation/deadline.ts";
import { publish } from "../operation/diagnostics.ts";
import { DONE, Iteration } from "../operation/iteration.ts";
import type * as api from "./public.ts";
import type { ListenerStats, ListenOptions, RefusalReason } from "./public.ts";
import type { ListenerSink, ListenerTransport, Network, StreamTransport } from "../network/network.ts";
import { type NativeInterop, OwnClock, transportInterop } from "../operation/own-clock.ts";
import { announced, readProxyHeader } from "./proxy-prelude.ts";
import { restated } from "../operation/restated.ts";
import { Waiter, WaitQueue } from "../operation/wait-queue.ts";
import type * as streams from "../stream/public.ts";
import { checkOptions } from "../../core/options/check-options.ts";
import type { TlsOptions } from "../network/tls.ts";
import { type ServerTls, serverTls, TLS_RULES } from "../stream/tls-settings.ts";

const DEFAULT_MAX_WAITING = 128;
const DEFAULT_HANDSHAKE_MS = 10_000;
const DEFAULT_MAX_HANDSHAKES = 1000;
/** Why a handshake is given up that has to make room. */
const OUSTED: unique symbol = Symbol("ousted");

/** How a listener hands over connections, for those who stand on it. */
export interface ListenerOptions<Socket extends StreamSocket> {
  /** Makes the socket of a connection that was let in. */
  readonly create: (transport: StreamTransport, announced: Announced | undefined) => Socket;
  /** Takes every connection at once, instead of letting it wait for `accept`. */
  readonly deliver?: ((socket: Socket) => void) | undefined;
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
  readonly #maxWaiting: number;
  readonly #handshakeMs: number;
  /** One object for all connections, because what is made from it is kept with it. */
  #tls: ServerTls | undefined;
  #queue: Socket[] = [];
  readonly #waiters: WaitQueue<Waiter<streams.StreamSocket | null, object | undefined>> = new WaitQueue();
  readonly #maxHandshakes: number;
  /** Gives one up; the oldest first. */
  readonly #handshakes: Set<(reason: unknown) => void> = new Set();
  #closing: Promise<void> | undefined;
  readonly closed: Promise<api.ListenerEnd>;
  #tellClosed: (end: api.ListenerEnd) => void = () => undefined;

  constructor(
    network: Network,
    transport: ListenerTransport,
    options: ListenOptions,
    listener: ListenerOptions<Socket>,
  ) {
    this.#network = network;
    this.#clock = new OwnClock(network.clock);
    this.#transport = transport;
    this.#listener = listener;
    const { limits = {}, timeouts = {} } = options;
    this.#admission = new Admission(options);
    this.#maxWaiting = limits.maxWaitingConnections ?? DEFAULT_MAX_WAITING;
    this.#handshakeMs = timeouts.handshakeMs ?? DEFAULT_HANDSHAKE_MS;
    this.#maxHandshakes = limits.maxHandshakes ?? DEFAULT_MAX_HANDSHAKES;
    this.#tls = listener.tls;
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    publish("open", () => ({ kind: "listener", local: transport.localAddress.toString(), remote: undefined }));
    transport.start(this);
  }

  get localAddress(): Address {
    return this.#transport.localAddress;
  }
  get interop(): NativeInterop {
    return transportInterop(this.#clock, this.#transport);
  }
  get stats(): ListenerStats {
    const readAhead = this.#queue.reduce((bytes, { inbound }) => bytes + inbound.queuedBytes, 0);
    const waiting = this.#queue.length;
    const heldBytes = waiting * HELD.connection + readAhead;
    return { ...this.#admission.stats, handshakes: this.#handshakes.size, waiting, heldBytes };
  }

  accept(options?: OperationOptions): Promise<streams.StreamSocket> {
    const refused = refusedAtOnce(options, () => this.#context("accept"));
    if (refused !== undefined) return Promise.reject(refused.reason);
    const ready = this.#queue.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    return this.#wait(undefined, options) as Promise<streams.StreamSocket>;
  }

  /** Waits for a connection; null when `loop`, whose step it is, comes to its end. */
  #wait(loop: object | undefined, options: ReceiveOptions | undefined): Promise<streams.StreamSocket | null> {
    return new Promise((resolve, reject) => {
      const late = (cause: number | AbortSignal): void => reject(expiryReason(cause, this.#context("accept")));
      this.#waiters.addWithin(new Waiter(loop, resolve, reject), this.#clock, options, late, () => resolve(null));
    });
  }

  connections(options?: ReceiveOptions): AsyncIterableIterator<streams.StreamSocket> {
    const loop = {};
    return new Iteration(
      () => this.#next(loop, options),
      () => this.#waiters.withdraw(loop, null),
    );
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<streams.StreamSocket> {
    return this.connections();
  }

  /** One step of a loop. */
  async #next(
    loop: object,
    options: ReceiveOptions | undefined,
  ): Promise<IteratorResult<streams.StreamSocket, undefined>> {
    const refused = receiveRefused(options, () => this.#context("accept"));
    if (refused !== undefined) throw refused.reason;
    if (this.#closing !== undefined || options?.until?.aborted === true) return DONE;
    const socket = this.#queue.shift() ?? (await this.#wait(loop, options));
    return socket === null ? DONE : { done: false, value: socket };
  }

  setTls(options: TlsOptions): void {
    const context = this.#context("setTls");
    if (this.#tls === undefined) {
      const detail = "setTls needs a listener with a tls: address";
      throw new UsageError("OPTION_INVALID", { ...context, detail });
    }
    const renewed = serverTls(context, checkOptions(context, options, TLS_RULES), "");
    this.#network.sockets.checkTls(renewed, context, "");
    this.#tls = renewed;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A connection is over: its place is free. */
  over(connection: StreamSocket): void {
    this.#admission.leave();
    this.#admission.dismiss(connection.remoteAddress);
  }

  // What the transport reports.

  accepted(transport: StreamTransport): void {
    const reason = this.#closing === undefined ? this.#admission.enter(() => this.#oust()) : "closing";
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
    let giveUp = (_reason: unknown): void => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      giveUp = reject;
    });
    late.catch(() => undefined);
    if (this.#handshakes.size >= this.#maxHandshakes) this.#oust();
    this.#handshakes.add(giveUp);
    const timeoutMs = this.#handshakeMs;
    const remote = transport.remoteAddress.toString();
    const timer = this.#clock.setTimer(
      () => giveUp(timeoutError(timeoutMs, { ...this.#context("handshake"), remote })),
      timeoutMs,
      true,
    );
    try {
      await this.#handshake(transport, trusted, late);
    } finally {
      timer.cancel();
      this.#handshakes.delete(giveUp);
    }
  }

  /** The oldest handshake makes room; answers whether there was one. */
  #oust(): boolean {
    const [giveUp] = this.#handshakes;
    if (giveUp === undefined) return false;
    this.#handshakes.delete(giveUp);
    giveUp(OUSTED);
    return true;
  }

  async #handshake(transport: StreamTransport, trusted: boolean, late: Promise<never>): Promise<void> {
    let remote = transport.remoteAddress;
    let peer: Announced | undefined;
    let unread: Uint8Array | undefined;
    let current = transport;
    try {
      if (trusted) {
        const prelude = await Promise.race([readProxyHeader(transport), late]);
        unread = prelude.unread;
        peer = announced(prelude.header, this.localAddress, remote);
        remote = peer.remoteAddress;
      }
      const reason = this.#admission.admit(remote);
      if (reason !== undefined) {
        this.#turnAway(transport, remote, reason);
        return;
      }
    } catch (error) {
      this.#handshakeFailed(transport, remote, error);
      return;
    }
    try {
      if (this.#tls !== undefined) {
        const secured = transport.startTls(this.#tls, unread ?? new Uint8Array(0));
        secured.catch(() => undefined);
        current = await Promise.race([secured, late]);
        unread = undefined;
      }
    } catch (error) {
      this.#admission.dismiss(remote);
      this.#handshakeFailed(transport, remote, error);
      return;
    }
    this.#handOver(current, peer, unread);
  }

  #handshakeFailed(transport: StreamTransport, peer: Address, cause: unknown): void {
    if (cause === OUSTED) {
      this.#turnAway(transport, peer, "max-handshakes");
      return;
    }
    this.#turnAway(transport, peer, "handshake");
    publish("error", () => {
      const remote = peer.toString();
      const error = cause instanceof ZocaloError ? restated(cause, { ...this.#context("handshake"), remote }) : cause;
      return { kind: "stream", local: this.localAddress.toString(), remote, error };
    });
  }

  /** `unread` are bytes that came behind a PROXY header; the transport is then paused. */
  #handOver(transport: StreamTransport, peer?: Announced, unread?: Uint8Array): void {
    const remote = peer?.remoteAddress ?? transport.remoteAddress;
    const full =
      this.#listener.deliver === undefined && this.#waiters.size === 0 && this.#queue.length >= this.#maxWaiting;
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
    if (this.#listener.deliver !== undefined) {
      this.#listener.deliver(socket);
      return;
    }
    const waiter = this.#waiters.take();
    if (waiter === undefined) this.#queue.push(socket);
    else waiter.resolve(socket);
  }

  #turnAway(transport: StreamTransport, remote: Address, reason: RefusalReason): void {
    this.#admission.leave();
    this.#refuse(transport, remote, reason);
  }

  /** Surplus connections see a reset, never a clean end that would look like an empty answer. */
  #refuse(transport: StreamTransport, remote: Address, reason: RefusalReason): void {
    this.#admission.refused[reason] += 1;
    transport.reset();
    publish("refusal", () => {
      return { kind: "listener", local: this.localAddress.toString(), remote: remote.toString(), reason };
    });
  }

  async #close(): Promise<void> {
    for (const giveUp of this.#handshakes) giveUp(this.#closedError());
    for (let waiter = this.#waiters.take(); waiter !== undefined; waiter = this.#waiters.take()) {
      if (waiter.subject === undefined) waiter.reject(this.#closedError());
      else waiter.resolve(null);
    }
    for (const socket of this.#queue.splice(0)) socket.abort(this.#closedError());
    await this.#transport.close();
    publish("close", () => ({
      kind: "listener",
      local: this.localAddress.toString(),
      remote: undefined,
      how: "closed",
    }));
    this.#tellClosed({ how: "closed" });
  }

  #closedError(): ZocaloError {
    return new ConnectionError("CLOSED", { ...this.#context("accept"), detail: "this program closed the listener" });
  }

  #context(op: string): OperationContext {
    return { op, local: this.localAddress.toString() };
  }
}
showAs(Listener, "Listener", ({ localAddress, stats }) => ({ localAddress, stats }));
