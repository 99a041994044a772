/** The TCP of one host: its listeners, its connections, and which segment belongs to which. */

import {
  type Endpoint,
  endpointText,
  flowText,
  isBroadcastIp,
  isGroup,
  type KernelEnvironment,
  type Packet,
  Route,
} from "./packet.ts";
import { checkPlace, covers, freePort, KernelRefusal, type Place, type Standing, Standings } from "./ports.ts";
import { resetFor, type Segment } from "./segment.ts";
import { TcpConnection, type TcpFailure, type TcpUser } from "./tcp-connection.ts";
import type { TcpSettings } from "./tcp-settings.ts";
import { type MakeConnection, TcpSocket } from "./tcp-socket.ts";
import { wayTo } from "./way.ts";

/** An open listener. Completed connections wait in `queue` until the program takes them. */
export interface TcpListener extends Standing {
  readonly backlog: number;
  readonly queue: TcpSocket[];
  /** Handshakes under way. */
  halfOpen: number;
  /** Told when there is something in the queue. */
  ready: (() => void) | undefined;
}

/** Sequence numbers begin below this: small integers to the engine, for most connections to their end. */
const INITIAL_NUMBERS = 0x4000_0000;

/** The TCP of one host. */
export class TcpStack {
  readonly #environment: KernelEnvironment;
  readonly #settings: TcpSettings;
  readonly #listeners: Standings<TcpListener> = new Standings();
  /** By the text of the route of what they receive. */
  readonly #sockets: Map<string, TcpSocket> = new Map();
  /** The ports of calls to a peer from an own address. A search for a free one asks for many, and a route is dear to name. */
  readonly #callingPorts: Map<string, Set<number>> = new Map();
  readonly #forget: (socket: TcpSocket) => void = (socket) => {
    const key = keyOf(socket.local, socket.remote);
    if (this.#sockets.get(key) !== socket) return;
    this.#sockets.delete(key);
    const pair = pairOf(socket.local.ip, socket.remote);
    const ports = this.#callingPorts.get(pair);
    ports?.delete(socket.local.port);
    if (ports?.size === 0) this.#callingPorts.delete(pair);
  };

  constructor(environment: KernelEnvironment, settings: TcpSettings) {
    this.#environment = environment;
    this.#settings = settings;
  }

  /** All listeners and connections, in the order in which they were made. */
  get listeners(): readonly TcpListener[] {
    return [...this.#listeners.all];
  }
  get sockets(): readonly TcpSocket[] {
    return [...this.#sockets.values()];
  }

  /** Opens a listener. Throws {@link KernelRefusal}. */
  listen(asked: Standing, backlog: number): TcpListener {
    const { addresses, random } = this.#environment;
    checkPlace(asked.local, "tcp", addresses);
    const local = this.#listeners.place(asked, random);
    const listener: TcpListener = { ...asked, local, backlog, queue: [], halfOpen: 0, ready: undefined };
    this.#listeners.add(listener);
    return listener;
  }

  /** Closes a listener: what waits behind it is reset. */
  closeListener(listener: TcpListener): void {
    this.#listeners.delete(listener);
    for (const { connection } of listener.queue.splice(0)) connection.abort();
  }

  /** Begins to connect; `user` is told how it goes. Throws {@link KernelRefusal}. */
  connect(from: Place | undefined, remote: Endpoint, user: TcpUser): TcpSocket {
    const { addresses, random } = this.#environment;
    if (from !== undefined) {
      checkPlace(from, "tcp", addresses);
      // A port of one's own may have other connections, but no listener.
      if (from.port !== 0) this.#listeners.place({ local: from, dual: false, shared: true }, random);
    }
    const way = wayTo(remote.ip, from, this.#environment);
    if (isGroup(way.to) || isBroadcastIp(way.to, addresses)) throw new KernelRefusal("NETWORK_UNREACHABLE");
    const to = { ip: way.to, port: remote.port };
    const pair = pairOf(way.from, to);
    const ports = this.#callingPorts.get(pair) ?? new Set();
    const isUsed = (port: number): boolean => this.#sockets.has(keyOf({ ip: way.from, port }, to));
    const isTaken = (port: number): boolean => ports.has(port) || this.#listeners.has(port) || isUsed(port);
    const port = from === undefined || from.port === 0 ? freePort(random, isTaken) : from.port;
    // As Linux says it: the address is free, but not for this peer.
    if (port === undefined || isUsed(port)) throw new KernelRefusal("ADDRESS_NOT_AVAILABLE");
    this.#callingPorts.set(pair, ports.add(port));
    const socket = this.#add({ ip: way.from, port }, to, (environment, mss) =>
      TcpConnection.open(this.#settings, environment, random.below(INITIAL_NUMBERS), mss),
    );
    socket.connection.user = user;
    return socket;
  }

  /** A segment for this host arrived. */
  receive(packet: Packet & { kind: "tcp" }): void {
    const { route, segment } = packet;
    const { from, to, text: key } = route;
    let socket = this.#sockets.get(key);
    if (socket?.connection.state === "TIME-WAIT" && segment.syn && segment.ack === undefined) {
      // RFC 9293 section 3.6.1: a new connection may take the place of one that only waits.
      this.#forget(socket);
      socket = undefined;
    }
    if (socket !== undefined) {
      socket.connection.receive(segment);
      socket.rearm();
      return;
    }
    if (segment.rst) return;
    const listener = segment.syn && segment.ack === undefined ? this.#listenerFor(to) : undefined;
    if (listener === undefined) {
      const answer = { kind: "tcp", route: new Route("tcp", to, from), segment: resetFor(segment) } as const;
      this.#environment.send(answer, this.#environment.newFlow());
    } else if (listener.queue.length + listener.halfOpen < Math.max(1, listener.backlog))
      this.#answer(listener, to, from, segment);
  }

  /** The network could not deliver a segment of ours. */
  refused(local: Endpoint, remote: Endpoint, failure: TcpFailure): void {
    this.#sockets.get(keyOf(local, remote))?.connection.unreachable(failure);
  }

  /** Forgets everything without a word, as when the power fails. */
  halt(): void {
    for (const socket of this.#sockets.values()) socket.halt();
    this.#sockets.clear();
    this.#callingPorts.clear();
    this.#listeners.clear();
  }

  #listenerFor({ ip, port }: Endpoint): TcpListener | undefined {
    const fitting = [...this.#listeners.at(port)].filter((listener) => covers(listener, ip));
    const exact = fitting.filter((listener) => listener.local.ip === ip);
    const candidates = exact.length > 0 ? exact : fitting;
    if (candidates.length < 2) return candidates[0];
    return candidates[this.#environment.random.below(candidates.length)];
  }

  #answer(listener: TcpListener, local: Endpoint, remote: Endpoint, syn: Segment): void {
    const initial = this.#environment.random.below(INITIAL_NUMBERS);
    const socket = this.#add(local, remote, (environment, mss) =>
      TcpConnection.answer(this.#settings, environment, initial, mss, syn),
    );
    const nothing = (): void => undefined;
    listener.halfOpen += 1;
    const failed = (): void => {
      listener.halfOpen -= 1;
    };
    const connected = (): void => {
      listener.halfOpen -= 1;
      socket.connection.user = undefined;
      if (!this.#listeners.all.has(listener)) {
        socket.connection.abort();
        return;
      }
      listener.queue.push(socket);
      listener.ready?.();
    };
    socket.connection.user = { connected, readable: nothing, writable: nothing, failed };
  }

  #add(local: Endpoint, remote: Endpoint, make: MakeConnection): TcpSocket {
    const socket = new TcpSocket(this.#environment, local, remote, this.#forget, make);
    this.#sockets.set(keyOf(local, remote), socket);
    return socket;
  }
}

function pairOf(ip: string, remote: Endpoint): string {
  return `${ip}>${endpointText(remote)}`;
}

function keyOf(local: Endpoint, remote: Endpoint): string {
  return flowText("tcp", remote, local);
}
