/** The TCP of one host: its listeners, its connections, and which segment belongs to which. */

import {
  type Endpoint,
  endpointText,
  flowText,
  isBroadcastIp,
  isGroup,
  isIpv6,
  type Machine,
  type Packet,
  resetFor,
  Route,
  TCP_HEADER_BYTES,
  type TcpFailure,
} from "./packet.ts";
import { checkPlace, covers, freePort, KernelRefusal, type Place, type Standing, Standings } from "./ports.ts";
import { TcpConnection, type TcpNotice } from "./tcp-connection.ts";
import type { SimTcpSettings } from "./tcp-settings.ts";
import { wayTo } from "./way.ts";

/** One connection of a host: the machine and its way to the peer. */
export interface TcpSocket {
  readonly connection: TcpConnection;
  readonly route: Route;
  readonly flow: number;
  /** Until the handshake is done, the listener that was called. */
  listener: TcpListener | undefined;
}

/** An open listener. Completed connections wait in `queue` until the program takes them. */
export interface TcpListener extends Standing {
  readonly backlog: number;
  readonly queue: TcpSocket[];
  /** Handshakes under way. */
  halfOpen: number;
}

/** Sequence numbers begin below this: small integers to the engine, for most connections to their end. */
const INITIAL_NUMBERS = 0x4000_0000;

/** The TCP of one host. Whoever calls it sees to the connections that it answers with, and takes `answers`. */
export class TcpStack {
  readonly #machine: Machine;
  readonly #settings: SimTcpSettings;
  readonly #listeners = new Standings<TcpListener>();
  /** Packets that belong to no connection. */
  readonly #answers: Packet[] = [];
  /** By the text of the route of what they receive. */
  readonly #sockets = new Map<string, TcpSocket>();
  /** The ports of calls to a peer from an own address. A search for a free one asks for many, and a route is dear to name. */
  readonly #callingPorts = new Map<string, Set<number>>();

  constructor(machine: Machine, settings: SimTcpSettings) {
    this.#machine = machine;
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
    const { addresses, random } = this.#machine;
    checkPlace(asked.local, "tcp", addresses);
    const local = this.#listeners.place(asked, random);
    const listener: TcpListener = { ...asked, local, backlog, queue: [], halfOpen: 0 };
    this.#listeners.add(listener);
    return listener;
  }

  /** Closes a listener. Answers what waited behind it, and is reset. */
  closeListener(listener: TcpListener): readonly TcpSocket[] {
    this.#listeners.delete(listener);
    const waiting = listener.queue.splice(0);
    for (const { connection } of waiting) connection.abort();
    return waiting;
  }

  /** Begins to connect. Throws {@link KernelRefusal}. */
  connect(from: Place | undefined, remote: Endpoint, nowUs: number): TcpSocket {
    const { addresses, random } = this.#machine;
    if (from !== undefined) {
      checkPlace(from, "tcp", addresses);
      // A port of one's own may have other connections, but no listener.
      if (from.port !== 0) this.#listeners.place({ local: from, dual: false, shared: true }, random);
    }
    const way = wayTo(remote.ip, from, this.#machine);
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
    const initial = random.below(INITIAL_NUMBERS);
    const connection = TcpConnection.open(this.#settings, initial, this.#mssTo(to.ip), nowUs);
    return this.#add({ ip: way.from, port }, to, connection, undefined);
  }

  /** A segment for this host arrived. Answers the connection that it belongs to, or has made. */
  receive({ route, segment }: Packet & { kind: "tcp" }, nowUs: number): TcpSocket | undefined {
    const { from, to, text: key } = route;
    let socket = this.#sockets.get(key);
    if (socket?.connection.state === "TIME-WAIT" && segment.syn && segment.ack === undefined) {
      // RFC 9293 section 3.6.1: a new connection may take the place of one that only waits.
      this.forget(socket);
      socket = undefined;
    }
    if (socket !== undefined) {
      socket.connection.receive(segment, nowUs);
      return socket;
    }
    if (segment.rst) return undefined;
    const listener = segment.syn && segment.ack === undefined ? this.#listenerFor(to) : undefined;
    if (listener === undefined) {
      this.#answers.push({ kind: "tcp", route: new Route("tcp", to, from), segment: resetFor(segment) });
      return undefined;
    }
    if (listener.queue.length + listener.halfOpen >= Math.max(1, listener.backlog)) return undefined;
    const initial = this.#machine.random.below(INITIAL_NUMBERS);
    listener.halfOpen += 1;
    const connection = TcpConnection.answer(this.#settings, initial, this.#mssTo(from.ip), segment, nowUs);
    return this.#add(to, from, connection, listener);
  }

  /** The network could not deliver a segment of ours. Answers the connection that it belongs to. */
  refused(local: Endpoint, remote: Endpoint, failure: TcpFailure): TcpSocket | undefined {
    const socket = this.#sockets.get(keyOf(local, remote));
    socket?.connection.unreachable(failure);
    return socket;
  }

  /** Takes the packets that belong to no connection. */
  answers(): readonly Packet[] {
    return this.#answers.splice(0);
  }

  /** How a handshake of a listener went. Answers the listener, if it has one more to give to its program. */
  handshakeDone(socket: TcpSocket, notice: TcpNotice): TcpListener | undefined {
    const { listener, connection } = socket;
    if (listener === undefined || !["connected", "failed"].includes(notice)) return undefined;
    socket.listener = undefined;
    listener.halfOpen -= 1;
    if (notice === "failed") return undefined;
    if (!this.#listeners.all.has(listener)) {
      connection.abort();
      return undefined;
    }
    listener.queue.push(socket);
    return listener;
  }

  /** A connection is over. */
  forget(socket: TcpSocket): void {
    const { from: local, to: remote } = socket.route;
    const key = keyOf(local, remote);
    if (this.#sockets.get(key) !== socket) return;
    this.#sockets.delete(key);
    const pair = pairOf(local.ip, remote);
    const ports = this.#callingPorts.get(pair);
    ports?.delete(local.port);
    if (ports?.size === 0) this.#callingPorts.delete(pair);
  }

  /** Forgets everything without a word, as when the power fails. */
  halt(): void {
    this.#sockets.clear();
    this.#callingPorts.clear();
    this.#listeners.clear();
  }

  #listenerFor({ ip, port }: Endpoint): TcpListener | undefined {
    const fitting = [...this.#listeners.at(port)].filter((listener) => covers(listener, ip));
    const exact = fitting.filter((listener) => listener.local.ip === ip);
    const candidates = exact.length > 0 ? exact : fitting;
    if (candidates.length < 2) return candidates[0];
    return candidates[this.#machine.random.below(candidates.length)];
  }

  #mssTo(ip: string): number {
    return this.#machine.mtuTo(ip) - TCP_HEADER_BYTES[isIpv6(ip) ? 6 : 4];
  }

  #add(local: Endpoint, remote: Endpoint, connection: TcpConnection, listener: TcpListener | undefined): TcpSocket {
    const route = new Route("tcp", local, remote);
    const socket = { connection, route, flow: this.#machine.newFlow(), listener };
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
