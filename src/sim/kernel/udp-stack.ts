/** The UDP of one host (RFC 768): mailboxes, groups, and what becomes of a datagram that nobody awaits. */

import {
  type Endpoint,
  isBroadcastIp,
  isGroup,
  isIpv6,
  isLoopbackIp,
  type KernelEnvironment,
  type Packet,
  Route,
} from "./packet.ts";
import { covers, KernelRefusal, place, type Standing, sourceFor } from "./ports.ts";
import type { TcpFailure } from "./tcp-connection.ts";

/** The interfaces of every host. */
export type Interface = "lo" | "eth0";

/** What a datagram costs in the receive buffer beside its bytes. */
const OVERHEAD_BYTES = 256;
/** As on the loopback interface, so that a group and its members hear datagrams in one order. */
const LOOPBACK_US = 10;
const MOST_BYTES: { readonly 4: number; readonly 6: number } = { 4: 65_507, 6: 65_527 };

/** One datagram in the receive buffer. */
export interface ReceivedDatagram {
  readonly data: Buffer;
  readonly from: Endpoint;
}

/** A mailbox. */
export interface UdpSocket extends Standing {
  readonly remote: Endpoint | undefined;
  readonly flow: number;
  readonly receiveBufferBytes: number;
  readonly queue: ReceivedDatagram[];
  queuedBytes: number;
  /** Datagrams that the buffer had no room for. */
  overflows: number;
  broadcast: boolean;
  loopback: boolean;
  outgoing: Interface;
  /** Joined groups as `group interface source`. */
  readonly groups: Set<string>;
  /** Of the last datagram that was sent: the next one often goes the same way. */
  route: Route | undefined;
  readable: () => void;
  failed: (failure: TcpFailure) => void;
}

/** The UDP of one host. */
export class UdpStack {
  readonly #environment: KernelEnvironment;
  readonly #sockets: Set<UdpSocket> = new Set();

  constructor(environment: KernelEnvironment) {
    this.#environment = environment;
  }

  /** All mailboxes, in the order in which they were made. */
  get sockets(): readonly UdpSocket[] {
    return [...this.#sockets];
  }

  /** Opens a mailbox. Throws {@link KernelRefusal}. */
  bind(asked: Standing, remote: Endpoint | undefined, receiveBufferBytes: number): UdpSocket {
    const { addresses, random } = this.#environment;
    let local = place(asked, this.sockets, addresses, random);
    // Connecting settles the own address.
    if (remote !== undefined)
      local = { ...local, ip: this.#source(local.ip, isGroup(remote.ip) ? this.#ownOf(remote.ip) : remote.ip) };
    const socket: UdpSocket = {
      ...asked,
      local,
      remote,
      flow: this.#environment.newFlow(),
      receiveBufferBytes,
      queue: [],
      queuedBytes: 0,
      overflows: 0,
      broadcast: false,
      loopback: true,
      outgoing: "eth0",
      groups: new Set(),
      route: undefined,
      readable: () => undefined,
      failed: () => undefined,
    };
    this.#sockets.add(socket);
    return socket;
  }

  /** Closes a mailbox. */
  close(socket: UdpSocket): void {
    this.#sockets.delete(socket);
    socket.queue.length = 0;
  }

  /** Sends one datagram. Throws {@link KernelRefusal}. */
  send(socket: UdpSocket, data: Buffer, to: Endpoint): void {
    if (data.length > MOST_BYTES[isIpv6(to.ip) ? 6 : 4]) throw new KernelRefusal("DATAGRAM_TOO_LARGE");
    if (to.port === 0) throw new KernelRefusal("OPTION_INVALID");
    if (isBroadcastIp(to.ip) && !socket.broadcast) throw new KernelRefusal("PERMISSION_DENIED");
    const everywhere = isBroadcastIp(to.ip) || isGroup(to.ip);
    const onLo = everywhere && (socket.outgoing === "lo" || isLoopbackIp(to.ip));
    const way = onLo ? (isIpv6(to.ip) ? "::1" : "127.0.0.1") : to.ip;
    const ip = this.#source(socket.local.ip, everywhere ? this.#ownOf(way) : way);
    if (!everywhere && this.#environment.noWayTo(to.ip) === "network unreachable") {
      throw new KernelRefusal("NETWORK_UNREACHABLE");
    }
    const packet: Packet = { kind: "udp", route: routeOf(socket, ip, to), data };
    if (!everywhere) this.#environment.send(packet, socket.flow);
    else {
      if (onLo || socket.loopback || isBroadcastIp(to.ip)) this.#loop(packet, socket.flow);
      if (!onLo) this.#environment.send(packet, socket.flow);
    }
  }

  /** A datagram for this host arrived. */
  receive(packet: Packet & { kind: "udp" }): void {
    const { from, to } = packet.route;
    const fitting = this.sockets.filter((socket) => takes(socket, packet));
    if (isGroup(to.ip) || isBroadcastIp(to.ip)) {
      for (const socket of fitting) deliver(socket, packet);
      return;
    }
    // The most exact wins: a partner, then an address, then the wildcard; among equals the youngest.
    const ranked = fitting.map((socket) => ({
      socket,
      rank: (socket.remote ? 2 : 0) + (socket.local.ip === to.ip ? 1 : 0),
    }));
    const best = ranked.reduce<(typeof ranked)[number] | undefined>(
      (top, entry) => (top === undefined || entry.rank >= top.rank ? entry : top),
      undefined,
    );
    if (best !== undefined) deliver(best.socket, packet);
    else {
      // RFC 1122 section 4.1.3.1: port unreachable.
      const refusal = {
        kind: "refusal",
        route: new Route("refusal", to, from),
        about: "udp",
        failure: "refused",
      } as const;
      this.#environment.send(refusal, this.#environment.newFlow());
    }
  }

  /** The network could not deliver a datagram of ours: only a connected mailbox is told (RFC 1122 section 4.1.3.3). */
  refused(local: Endpoint, remote: Endpoint, failure: TcpFailure): void {
    for (const socket of this.#sockets) {
      const { remote: partner } = socket;
      if (socket.local.port !== local.port || partner?.ip !== remote.ip || partner.port !== remote.port) continue;
      socket.failed(failure);
    }
  }

  /** Forgets everything without a word. */
  halt(): void {
    this.#sockets.clear();
  }

  #loop(packet: Packet, flow: number): void {
    const { nowUs, at } = this.#environment;
    at(nowUs() + LOOPBACK_US, flow, () => this.receive(packet as Packet & { kind: "udp" }));
  }

  #source(bound: string, to: string): string {
    if (bound !== "0.0.0.0" && bound !== "::" && !isGroup(bound) && !isBroadcastIp(bound)) return bound;
    const own = sourceFor(to, this.#environment.addresses);
    if (own === undefined) throw new KernelRefusal("NETWORK_UNREACHABLE");
    return own;
  }

  #ownOf(way: string): string {
    if (isLoopbackIp(way)) return way;
    return (
      this.#environment.addresses.find((own) => isIpv6(own) === isIpv6(way)) ?? (isIpv6(way) ? "::1" : "127.0.0.1")
    );
  }
}

/** The way from `ip` to an end point. */
function routeOf(socket: UdpSocket, ip: string, to: Endpoint): Route {
  const { route } = socket;
  if (route?.from.ip === ip && route.to.ip === to.ip && route.to.port === to.port) return route;
  socket.route = new Route("udp", { ip, port: socket.local.port }, to);
  return socket.route;
}

function takes(socket: UdpSocket, { route: { from, to } }: Packet): boolean {
  if (socket.local.port !== to.port) return false;
  const { remote } = socket;
  if (remote !== undefined && !isGroup(remote.ip) && (remote.ip !== from.ip || remote.port !== from.port)) return false;
  if (isGroup(to.ip)) {
    const joined = (source: string): boolean =>
      socket.groups.has(`${to.ip} eth0 ${source}`) || socket.groups.has(`${to.ip} lo ${source}`);
    return (socket.local.ip === to.ip || covers(socket, to.ip)) && (joined("") || joined(from.ip));
  }
  return covers(socket, to.ip) || (isBroadcastIp(to.ip) && covers(socket, "0.0.0.0"));
}

function deliver(socket: UdpSocket, { data, route: { from } }: Packet & { kind: "udp" }): void {
  const cost = data.length + OVERHEAD_BYTES;
  if (socket.queuedBytes + cost > socket.receiveBufferBytes && socket.queue.length > 0) {
    socket.overflows += 1;
    return;
  }
  socket.queuedBytes += cost;
  socket.queue.push({ data, from });
  if (socket.queue.length === 1) socket.readable();
}

/** Takes everything that waits in a mailbox. */
export function takeDatagrams(socket: UdpSocket): readonly ReceivedDatagram[] {
  socket.queuedBytes = 0;
  return socket.queue.splice(0);
}
