/** A server: one handler for each connection, and what happens to it when things go wrong or come to an end. */

import { showAs } from "../../core/show-as.ts";
import type { Address, AddressLike } from "../../core/address/address.ts";
import { ConnectionError, UsageError } from "../../core/errors.ts";
import {
  checkOptions,
  FUNCTION,
  OPERATION_RULES,
  type OptionRules,
  type RulesOf,
} from "../../core/options/check-options.ts";
import { StreamSocket } from "../stream/socket.ts";
import { connectionSettings } from "../stream/settings.ts";
import type { OperationOptions } from "../operation/deadline.ts";
import type { Listener } from "./listener.ts";
import { endNow } from "../stream/linger.ts";
import { listenerAddress, LISTEN_RULES, openListener } from "./listen.ts";
import type * as api from "./public.ts";
import type { Network } from "../network/network.ts";
import { type NativeInterop, OwnClock, serverInterop } from "../operation/own-clock.ts";
import type * as streams from "../stream/public.ts";
import type { TlsOptions } from "../network/tls.ts";
import { reportProblem } from "../operation/peer-problems.ts";

/** What {@link ServeOptions} must look like. */
export const SERVE_RULES: RulesOf<api.ServeOptions> = { ...LISTEN_RULES, onError: FUNCTION };
const DEFAULT_IDLE_MS = 300_000;
const DEFAULT_DRAIN_MS = 5000;

class Peer extends StreamSocket implements api.Peer {
  detached = false;
  server: { readonly draining: AbortSignal; release(peer: Peer): void } | undefined;

  get draining(): AbortSignal {
    return this.server?.draining ?? AbortSignal.abort();
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
  if (typeof handler !== "function") {
    throw new UsageError("OPTION_INVALID", { op: "serve", detail: "handler must be a function that takes a peer" });
  }
  const asked = listenerAddress(address, "serve");
  const options = checkOptions({ op: "serve", local: asked.toString() }, given, rules);
  const settings = connectionSettings(options, DEFAULT_IDLE_MS);
  const server = new Server(network, handler, options);
  server.listener = await openListener("serve", network, asked, options, {
    create: (transport, announced) => server.create(new Peer(network, transport, settings, announced)),
    deliver: (peer) => server.take(peer),
  });
  return server;
}

class Server implements api.Server {
  readonly peers: Set<Peer> = new Set();
  readonly closed: Promise<void>;
  readonly #clock: OwnClock;
  readonly #handler: api.PeerHandler;
  readonly #options: api.ServeOptions;
  readonly #drainController: AbortController = new AbortController();
  #listener: Listener<Peer> | undefined;
  #drained: Promise<api.DrainReport> | undefined;
  #resolveClosed: () => void = () => undefined;
  #onEmpty: (() => void) | undefined;
  /** Ends the waiting of `drain`. */
  #stop: (() => void) | undefined;

  constructor(network: Network, handler: api.PeerHandler, options: api.ServeOptions) {
    this.#clock = new OwnClock(network.clock);
    this.#handler = handler;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
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
  get stats(): api.ListenerStats {
    return this.listener.stats;
  }
  get interop(): NativeInterop {
    return serverInterop(this.#clock, this.listener.interop);
  }
  get draining(): AbortSignal {
    return this.#drainController.signal;
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
    if (this.peers.size === 0) this.#onEmpty?.();
  }

  drain(options: OperationOptions = {}): Promise<api.DrainReport> {
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
  async #serve(peer: Peer): Promise<void> {
    try {
      await this.#handler(peer);
      if (!peer.detached) await peer.close();
    } catch (error) {
      if (!peer.detached) peer.abort(error);
      this.#report(error, peer);
    }
  }

  #report(error: unknown, peer: Peer): void {
    const { local, remote } = peer.context("serve");
    reportProblem(error, { kind: "stream", local, remote }, () => this.#options.onError?.(error, peer));
  }

  async #drain(options: OperationOptions): Promise<api.DrainReport> {
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
showAs(Server, "Server", ({ localAddress, stats }) => ({ localAddress, stats }));
