/** A server: one handler for each connection, and what happens to it when things go wrong or come to an end. */

import { showAs } from "../../core/show-as.ts";
import type { Address, AddressLike } from "../../core/address/address.ts";
import { ConnectionError, UsageError } from "../../core/errors.ts";
import { checkOptions, FUNCTION, OPERATION_RULES, type OptionRules, type RulesOf } from "../operation/check-options.ts";
import { StreamSocket } from "../stream/socket.ts";
import { connectionSettings } from "../stream/settings.ts";
import type { OperationOptions } from "../operation/deadline.ts";
import type { Listener } from "./listener.ts";
import { endNow } from "../stream/linger.ts";
import { listenerAddress, LISTEN_RULES, openListener } from "./listen.ts";
import type { ListenerStats, ListenOptions } from "./public.ts";
import type { Network } from "../network/network.ts";
import { OwnClock } from "../operation/own-clock.ts";
import type * as api from "../stream/public.ts";
import type { TlsOptions } from "../network/tls.ts";
import { reportProblem } from "../operation/peer-problems.ts";

/** A connection in the hands of a server's handler. */
export interface Peer extends api.StreamSocket {
  /** Aborts when the server begins to drain: finish what you are doing and return. */
  readonly draining: AbortSignal;
  /** Takes the connection out of the server's care: it stays open when the handler returns, and `drain` ignores it. */
  detach(): api.StreamSocket;
}

/** Serves one connection. When it returns, or its promise resolves, the connection is closed; when it throws, it is aborted. */
export type PeerHandler = (peer: Peer) => unknown;

/** Options of `serve`. `signal` and `timeoutMs` end the opening only; `drain` and `close` end a server. */
export interface ServeOptions extends ListenOptions {
  /** Default 300000 here: a server that keeps dead peers runs out of sockets. `Infinity` turns it off. */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Told of what a handler threw and of a close that could not deliver. Default: nobody, but the channel `zocalo:error`
   * has it. What it throws itself goes to that channel too; nothing here ever becomes an unhandled rejection.
   */
  readonly onError?: ((error: unknown, peer: Peer) => void) | undefined;
}

/** How `drain` went. */
export interface DrainReport {
  /** Connections whose handlers came to their end in time, and whose last words the kernel has. */
  readonly finished: number;
  /** Connections that were aborted because the time was over. */
  readonly cut: number;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
}

/** A running server. `await using` drains it, at most 5 seconds. */
export interface Server extends AsyncDisposable {
  /** The address, with the port that the system chose. */
  readonly localAddress: Address;
  /** What it has counted so far. */
  readonly stats: ListenerStats;
  /** The object beneath (`net.Server`). */
  readonly native: unknown;
  /** The connections that are being served. */
  readonly peers: ReadonlySet<Peer>;
  /** Resolves when the server accepts no more and its last connection is over. Never rejects. */
  readonly closed: Promise<void>;
  /**
   * Stops accepting, tells the handlers (`peer.draining`), and waits for them. When `timeoutMs` (default 5000) is over, or
   * `signal` aborts, the rest is aborted. A second call shares the first one's report.
   */
  drain(options?: OperationOptions): Promise<DrainReport>;
  /** Stops accepting and aborts every connection at once. */
  close(): Promise<void>;
  /** Uses other settings for connections from now on; see `Listener.setTls`. */
  setTls(options: TlsOptions): void;
  /** Lets the running server keep the process alive (the default). */
  ref(): this;
  /** Lets the process end although the server runs. */
  unref(): this;
}

/** What {@link ServeOptions} must look like. */
export const SERVE_RULES: RulesOf<ServeOptions> = { ...LISTEN_RULES, onError: FUNCTION };
const DEFAULT_IDLE_MS = 300_000;
const DEFAULT_DRAIN_MS = 5000;

class ServerPeer extends StreamSocket implements Peer {
  detached = false;
  server: { readonly draining: AbortSignal; release(peer: ServerPeer): void } | undefined;

  get draining(): AbortSignal {
    return this.server?.draining ?? AbortSignal.abort();
  }
  detach(): api.StreamSocket {
    this.detached = true;
    this.server?.release(this);
    return this;
  }
}

/** Serves over `network`; see the public `serve`, whose own options have more `rules`. */
export async function serveOver(
  network: Network,
  address: AddressLike,
  handler: PeerHandler,
  given: ServeOptions = {},
  rules: OptionRules = SERVE_RULES,
): Promise<Server> {
  if (typeof handler !== "function") {
    throw new UsageError("OPTION_INVALID", { op: "serve", detail: "handler must be a function that takes a peer" });
  }
  const asked = listenerAddress(address, "serve");
  const options = checkOptions({ op: "serve", local: asked.toString() }, given, rules);
  const { idleTimeoutMs = DEFAULT_IDLE_MS } = options;
  const settings = connectionSettings({ ...options, idleTimeoutMs });
  const server = new StreamServer(network, handler, options);
  server.listener = await openListener("serve", network, asked, options, {
    create: (transport, announced) => server.create(new ServerPeer(network, transport, settings, announced)),
    deliver: (peer) => server.take(peer),
  });
  return server;
}

class StreamServer implements Server {
  readonly peers: Set<ServerPeer> = new Set();
  readonly closed: Promise<void>;
  readonly #clock: OwnClock;
  readonly #handler: PeerHandler;
  readonly #options: ServeOptions;
  readonly #drainController: AbortController = new AbortController();
  #listener: Listener<ServerPeer> | undefined;
  #drained: Promise<DrainReport> | undefined;
  #resolveClosed: () => void = () => undefined;
  #onEmpty: (() => void) | undefined;
  /** Ends the waiting of `drain`. */
  #stop: (() => void) | undefined;

  constructor(network: Network, handler: PeerHandler, options: ServeOptions) {
    this.#clock = new OwnClock(network.clock);
    this.#handler = handler;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get listener(): Listener<ServerPeer> {
    return this.#listener as Listener<ServerPeer>;
  }
  set listener(listener: Listener<ServerPeer>) {
    this.#listener = listener;
  }
  get localAddress(): Address {
    return this.listener.localAddress;
  }
  get stats(): ListenerStats {
    return this.listener.stats;
  }
  get native(): unknown {
    return this.listener.native;
  }
  get draining(): AbortSignal {
    return this.#drainController.signal;
  }

  create(peer: ServerPeer): ServerPeer {
    peer.server = this;
    return peer;
  }

  /** Runs the handler; whatever comes of it stays with this one connection. */
  take(peer: ServerPeer): void {
    this.peers.add(peer);
    void this.#serve(peer).finally(() => this.release(peer));
  }

  /** A connection is not in the care of this server any more. */
  release(peer: ServerPeer): void {
    this.peers.delete(peer);
    if (this.peers.size === 0) this.#onEmpty?.();
  }

  drain(options: OperationOptions = {}): Promise<DrainReport> {
    try {
      const context = { op: "drain", local: this.localAddress.toString() };
      const checked = checkOptions(context, options, OPERATION_RULES);
      this.#drained ??= this.#drain(checked);
      return this.#drained;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async close(): Promise<void> {
    const closing = this.drain({ timeoutMs: 0 });
    this.#stop?.();
    await closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  setTls(options: TlsOptions): void {
    this.listener.setTls(options);
  }
  ref(): this {
    this.#clock.setReferenced(true);
    this.listener.ref();
    return this;
  }
  unref(): this {
    this.#clock.setReferenced(false);
    this.listener.unref();
    return this;
  }

  async #serve(peer: ServerPeer): Promise<void> {
    try {
      await this.#handler(peer);
      if (!peer.detached) await peer.close();
    } catch (error) {
      if (!peer.detached) peer.abort(error);
      this.#report(error, peer);
    }
  }

  #report(error: unknown, peer: ServerPeer): void {
    const { local, remote } = peer.context("serve");
    reportProblem(error, { kind: "stream", local, remote }, () => this.#options.onError?.(error, peer));
  }

  async #drain(options: OperationOptions): Promise<DrainReport> {
    const clock = this.#clock;
    const startedAt = clock.now();
    const before = this.peers.size;
    const closing = this.listener.close();
    this.#drainController.abort(new ConnectionError("CLOSED", { op: "drain", local: this.localAddress.toString() }));
    const cut = await this.#untilEmpty(options);
    await closing;
    this.#resolveClosed();
    return { finished: before - cut, cut, durationMs: clock.now() - startedAt };
  }

  /**
   * Waits for the handlers; then aborts what is left and answers how many that were. Those have one more turn of the event
   * loop: enough for one that waits for its socket, and one that waits for something else cannot hold up the end.
   */
  async #untilEmpty(options: OperationOptions): Promise<number> {
    if (this.peers.size === 0) return 0;
    const clock = this.#clock;
    const empty = new Promise<number>((resolve) => {
      this.#onEmpty = () => resolve(0);
      this.#stop = () => {
        this.#stop = this.#onEmpty = undefined;
        void this.#cut().then((cut) => clock.defer(() => resolve(cut)));
      };
    });
    const stop = (): void => this.#stop?.();
    const timer = clock.setTimer(stop, options.timeoutMs ?? DEFAULT_DRAIN_MS);
    options.signal?.addEventListener("abort", stop, { once: true });
    if (options.signal?.aborted === true) stop();
    const cut = await empty;
    timer.cancel();
    options.signal?.removeEventListener("abort", stop);
    return cut;
  }

  /** Ends what is left. Whose handler has finished, and has everything that it wrote with the kernel, is not cut. */
  async #cut(): Promise<number> {
    const ends = Array.from(this.peers, (peer) => {
      const detail = "the server was shut down";
      return endNow(this.#clock, peer, new ConnectionError("CLOSED", { ...peer.context("drain"), detail }));
    });
    return (await Promise.all(ends)).filter((inOrder) => !inOrder).length;
  }
}
showAs(StreamServer, "Server", ({ localAddress, stats }) => ({ localAddress, stats }));
