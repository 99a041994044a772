/** A server: one handler for each connection, and what happens to it when things go wrong or come to an end. */

import { showAs } from "../../core/show-as.ts";
import type { Address, AddressLike } from "../../core/address/address.ts";
import { ConnectionError, EndOfStreamError } from "../../core/errors.ts";
import { type MetricFamily, openMetricsText } from "../../core/open-metrics.ts";
import { checkOptions, FUNCTION, HANDLER, type OptionRules, type RulesOf } from "../../core/options/check-options.ts";
import { StreamSocket } from "../stream/socket.ts";
import { connectionSettings } from "../stream/settings.ts";
import { listChange } from "../operation/diagnostics.ts";
import { type CloseReport, GracefulServer } from "../operation/graceful-close.ts";
import { broadcast, type StreamBroadcastOptions, type StreamBroadcastReport } from "../stream/broadcast.ts";
import type { Listener } from "./listener.ts";
import { endNow } from "../stream/linger.ts";
import { listenerAddress, LISTEN_RULES, openListener } from "./listen.ts";
import type * as api from "./public.ts";
import type { Network } from "../network/network.ts";
import { type NativeInterop, serverInterop } from "../operation/own-clock.ts";
import type * as streams from "../stream/public.ts";
import type { TlsOptions } from "../network/tls.ts";
import { OwnSignal } from "../operation/own-signal.ts";
import { errorOf, isOrderlyEnd, reportProblem } from "../operation/peer-problems.ts";

/** What {@link ServeOptions} must look like. */
export const SERVE_RULES: RulesOf<api.ServeOptions> = { ...LISTEN_RULES, onError: FUNCTION };
const DEFAULT_IDLE_MS = 300_000;

/** A connection of a server. */
export class Peer extends StreamSocket implements api.Peer {
  detached = false;
  #draining: OwnSignal | undefined;
  server: { readonly leaving: AbortSignal; release(peer: Peer): void } | undefined;

  get draining(): AbortSignal {
    this.#draining ??= this.#watchServer();
    return this.#draining.signal;
  }
  #watchServer(): OwnSignal {
    const own = new OwnSignal(this.server?.leaving ?? AbortSignal.abort());
    void this.closed.then(() => own.release());
    return own;
  }
  detach(): streams.StreamSocket {
    this.detached = true;
    this.server?.release(this);
    return this;
  }
}

/** Serves over `network`; see the public `serve`, whose own options have more `rules`. */
export async function serveOver(
  network: Network,
  address: AddressLike,
  handler: api.PeerHandler,
  given: api.ServeOptions = {},
  rules: OptionRules = SERVE_RULES,
): Promise<api.Server> {
  checkOptions({ op: "serve" }, { handler }, { handler: HANDLER });
  const asked = listenerAddress(address, "serve");
  const options = checkOptions({ op: "serve", local: asked.toString() }, given, rules);
  const settings = connectionSettings(options, DEFAULT_IDLE_MS);
  const server = new Server(network, handler, options);
  server.listener = await openListener("serve", network, asked, options, {
    create: (transport, announced) => server.create(new Peer(network, transport, settings, announced)),
    deliver: (peer) => server.take(peer),
    settled: () => server.look(),
  });
  listChange(server, true);
  return server;
}

/** The one implementation of the public `Server`. */
export class Server extends GracefulServer<CloseReport> implements api.Server {
  readonly peers: Set<Peer> = new Set();
  readonly #handler: api.PeerHandler;
  readonly #options: api.ServeOptions;
  #listener: Listener<Peer> | undefined;

  constructor(network: Network, handler: api.PeerHandler, options: api.ServeOptions) {
    super(network);
    this.#handler = handler;
    this.#options = options;
  }

  get listener(): Listener<Peer> {
    return this.#listener as Listener<Peer>;
  }
  set listener(listener: Listener<Peer>) {
    this.#listener = listener;
  }
  get localAddress(): Address {
    return this.listener.localAddress;
  }
  get leaving(): AbortSignal {
    return this.closing.leaving;
  }
  get stats(): api.ListenerStats {
    return this.listener.stats;
  }
  get interop(): NativeInterop {
    return serverInterop(this.clock, this.listener.interop);
  }

  async metrics(): Promise<string> {
    return openMetricsText(this.families());
  }
  families(): readonly MetricFamily[] {
    return this.listener.families(this.peers);
  }

  create(peer: Peer): Peer {
    peer.server = this;
    return peer;
  }

  /** Runs the handler; whatever comes of it stays with this one connection. */
  take(peer: Peer): void {
    this.peers.add(peer);
    void this.#serve(peer).finally(() => this.release(peer));
  }

  /** A connection is not in the care of this server any more. */
  release(peer: Peer): void {
    this.peers.delete(peer);
    this.look();
  }
  /** Something that `close` waits for may be over. */
  look(): void {
    this.closing.look();
  }

  setTls(options: TlsOptions): void {
    this.listener.setTls(options);
  }

  broadcast(data: unknown, options: StreamBroadcastOptions = {}): Promise<StreamBroadcastReport> {
    const context = { op: "broadcast", local: this.localAddress.toString() };
    return broadcast(this.clock, context, this.peers, data, options);
  }
  async #serve(peer: Peer): Promise<void> {
    try {
      await this.#handler(peer);
    } catch (error) {
      if (!endedInOrder(error, peer)) return this.#failed(error, peer);
    }
    try {
      if (!peer.detached) await peer.close();
    } catch (error) {
      this.#failed(error, peer);
    }
  }

  #failed(error: unknown, peer: Peer): void {
    const isNews = !endedInOrder(error, peer);
    if (!peer.detached) peer.abort(error);
    if (isNews) this.#report(error, peer);
  }

  #report(error: unknown, peer: Peer): void {
    const { local, remote } = peer.context("serve");
    reportProblem(error, { kind: "stream", local, remote }, () => this.#options.onError?.(error, peer));
  }

  /**
   * Waits for the handlers, those of connections that are in their handshake included, then aborts what is left. Those have one more turn of the event loop: enough for one that waits for
   * its socket, and one that waits for something else cannot hold up the end.
   */
  protected override async finish(): Promise<CloseReport> {
    const { listener } = this;
    const before = listener.stats.accepted - this.peers.size;
    const shut = listener.shut();
    const isIdle = await this.closing.untilIdle(() => this.peers.size === 0 && listener.handshakes === 0);
    const closing = listener.close();
    let cut = 0;
    if (!isIdle) {
      cut = await this.#cut();
      await new Promise<void>((resolve) => this.clock.defer(resolve));
    }
    await Promise.all([shut, closing]);
    return { finished: listener.stats.accepted - before - cut, cut, durationMs: this.closing.durationMs };
  }

  /** Ends what is left. Whose handler has finished, and has everything that it wrote with the kernel, is not cut. */
  async #cut(): Promise<number> {
    const { cause } = this.closing;
    const ends = Array.from(this.peers, (peer) => {
      const detail = "the server was closed";
      return endNow(this.clock, peer, new ConnectionError("CLOSED", { ...peer.context("close"), detail, cause }));
    });
    return (await Promise.all(ends)).filter((inOrder) => !inOrder).length;
  }
}

/**
 * Whether what a handler threw says only that its connection is over: the peer has ended between two reads, or the connection was
 * closed, by the program or with its server. A program that has called `end` and writes is wrong, and is told.
 */
function endedInOrder(error: unknown, peer: Peer): boolean {
  const place = peer.context("serve");
  const { draining } = peer;
  if (isOrderlyEnd(error, place, draining)) return peer.isClosing || draining.aborted;
  const own = errorOf(error, place);
  if (own instanceof EndOfStreamError) return own.partial.length === 0;
  return own?.code === "CONNECTION_ABORTED" && draining.aborted;
}
showAs(Server, "Server", ({ localAddress, stats }) => ({ localAddress, stats }));
