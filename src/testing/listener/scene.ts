/** What the parts of the listener suite share: a world to open listeners in, and one test's listeners and connections. */

import assert from "node:assert/strict";
import type { AddressLike } from "../../core/address/address.ts";
import { ZocaloError } from "../../core/errors.ts";
import { type ConnectOptions, connectOver } from "../../io/stream/connect.ts";
import { listenOver } from "../../io/listener/listen.ts";
import type { Listener, ListenOptions } from "../../io/listener/public.ts";
import type { Network, StreamTraits } from "../../io/network/network.ts";
import { serveOver } from "../../io/listener/serve.ts";
import type { PeerHandler, ServeOptions, Server } from "../../io/listener/public.ts";
import type { StreamSocket } from "../../io/stream/public.ts";
import type { ManualClock } from "../manual-clock.ts";

const POLL_MS = 1;

/** Where {@link listenerSuite} opens its listeners. */
export interface ListenerWorld {
  /** The network, or what runs one test on a network of its own, as a simulator does in a fresh world. */
  readonly network: Network | ((body: (network: Network) => Promise<void>) => Promise<void>);
  /** An address to listen on that nobody uses, such as one with port 0; asked for each listener. */
  readonly address: () => AddressLike;
  /** What a program that connects to a closed listener is told. */
  readonly refusal: "CONNECTION_REFUSED" | "PATH_NOT_FOUND";
  /** What its connections can promise. */
  readonly traits: StreamTraits;
  /** Options of every listener, such as `tls`. */
  readonly listen?: ListenOptions | undefined;
  /** Options of every connection. */
  readonly connect?: ConnectOptions | undefined;
}

/** Tests by their titles. */
export type ListenerChecks = Readonly<Record<string, (scene: ListenerScene) => Promise<void>>>;

/** Tests whose time is moved by hand. */
export type TimedListenerChecks = Readonly<Record<string, (scene: ListenerScene, clock: ManualClock) => Promise<void>>>;

/** The listeners and connections of one test. */
export class ListenerScene {
  readonly world: ListenerWorld;
  readonly network: Network;
  readonly #open: (() => Promise<void> | void)[] = [];

  /** `network` is that of the world, or stands in for it. */
  constructor(world: ListenerWorld, network: Network) {
    this.world = world;
    this.network = network;
  }

  get traits(): StreamTraits {
    return this.world.traits;
  }

  async listen(options: ListenOptions = {}): Promise<Listener> {
    const listener = await listenOver(this.network, this.world.address(), { ...this.world.listen, ...options });
    this.#open.push(() => listener.close());
    return listener;
  }

  async serve(handler: PeerHandler, options: ServeOptions = {}): Promise<Server> {
    const server = await serveOver(this.network, this.world.address(), handler, { ...this.world.listen, ...options });
    this.#open.push(async () => void (await server.close({ timeoutMs: 0 })));
    return server;
  }

  async connect(listener: { readonly localAddress: AddressLike }, options: ConnectOptions = {}): Promise<StreamSocket> {
    const socket = await connectOver(this.network, listener.localAddress, { ...this.world.connect, ...options });
    this.#open.push(() => socket.abort());
    return socket;
  }

  /** A connection and its accepted end. */
  async pair(listener: Listener): Promise<readonly [called: StreamSocket, peer: StreamSocket]> {
    const [called, peer] = await Promise.all([this.connect(listener), listener.accept()]);
    this.#open.push(() => peer.abort());
    return [called, peer];
  }

  /** Connects and fails unless the listener turns the connection away; where there is a reset, with a reset. */
  async turnedAway(listener: { readonly localAddress: AddressLike }): Promise<void> {
    const outcome = await this.connect(listener)
      .then((socket) => socket.read())
      .catch((error: unknown) => error);
    if (outcome === null && !this.traits.reset) return;
    assert.ok(outcome instanceof ZocaloError, `not turned away: ${String(outcome)}`);
    assert.equal(outcome.code, "CONNECTION_RESET", outcome.message);
  }

  /** Waits until something holds, on a clock that runs by itself; the time-out of the test bounds it. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => void this.network.clock.setTimer(resolve, POLL_MS));
  }

  /** Closes everything, the latest first. */
  async cleanup(): Promise<void> {
    for (const close of this.#open.reverse()) await close();
  }
}
