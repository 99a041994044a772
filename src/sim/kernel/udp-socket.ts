/** A datagram socket of a simulated host: its receive buffer, the groups that it hears, the way to where it sends. */

import { type Endpoint, isGroup, isIpv6, type Packet, Route, type TcpFailure } from "./packet.ts";
import { covers, type Interface, type Standing } from "./ports.ts";
import type { Way } from "./way.ts";

/** What a datagram costs in the receive buffer beside its bytes. */
const OVERHEAD_BYTES = 256;

/** One datagram in the receive buffer. */
interface ReceivedDatagram {
  readonly data: Buffer;
  readonly from: Endpoint;
}

/** A group that a datagram socket hears on an interface; `source` "" for everybody's datagrams. */
export interface Membership {
  readonly group: string;
  readonly via: Interface;
  readonly source: string;
}

/** A datagram socket. */
export interface UdpSocket extends Standing {
  readonly remote: Endpoint | undefined;
  /** A socket of IPv6, which may hear IPv4 as well. */
  readonly ipv6: boolean;
  readonly flow: number;
  readonly receiveBufferBytes: number;
  readonly queue: ReceivedDatagram[];
  /** What the network said about datagrams to the peer. */
  readonly failures: TcpFailure[];
  queuedBytes: number;
  /** Datagrams that the buffer had no room for. */
  overflows: number;
  broadcast: boolean;
  loopback: boolean;
  /** The interface for groups, where the program has chosen one. */
  outgoing: Interface | undefined;
  /** What it has joined: the sources, by group and interface. */
  readonly memberships: Map<string, Set<string>>;
  /** Of the last datagram that was sent: the next one often goes the same way. */
  route: Route | undefined;
}

/** A group on an interface, as a key. */
export function groupPlace({ group, via }: Pick<Membership, "group" | "via">): string {
  return `${group} ${via}`;
}

/** The route from a datagram socket to an end point. */
export function routeOf(socket: UdpSocket, { from, to }: Way, port: number): Route {
  const { route } = socket;
  if (route?.from.ip === from && route.to.ip === to && route.to.port === port) return route;
  socket.route = new Route("udp", { ip: from, port: socket.local.port }, { ip: to, port });
  return socket.route;
}

/** Whether a datagram socket takes datagrams of this sender. */
export function isPeer({ remote }: UdpSocket, from: Endpoint): boolean {
  return remote === undefined || isGroup(remote.ip) || (remote.ip === from.ip && remote.port === from.port);
}

/** The most exact wins: a peer, then an address, then the wildcard; among equals the youngest. */
export function mostExact(sockets: readonly UdpSocket[], ip: string): UdpSocket | undefined {
  let best: UdpSocket | undefined;
  let highest = 0;
  for (const socket of sockets) {
    if (!covers(socket, ip)) continue;
    const rank = (socket.remote === undefined ? 0 : 2) + (socket.local.ip === ip ? 1 : 0);
    if (best !== undefined && rank < highest) continue;
    best = socket;
    highest = rank;
  }
  return best;
}

/**
 * Whether a datagram socket hears a group that this host has joined. On Linux one that has not joined it hears it too, when another
 * datagram socket of the host has (IP_MULTICAST_ALL), except IPv4 on a socket of IPv6.
 */
export function hears(socket: UdpSocket, group: string, via: Interface, from: string): boolean {
  if (socket.local.ip !== group && !covers(socket, group)) return false;
  const sources = socket.memberships.get(groupPlace({ group, via }));
  return sources === undefined ? socket.ipv6 === isIpv6(group) : sources.has("") || sources.has(from);
}

/** Puts a datagram into the receive buffer; false when there is no room. */
export function deliver(socket: UdpSocket, { data, route: { from } }: Packet & { kind: "udp" }): boolean {
  const cost = data.length + OVERHEAD_BYTES;
  if (socket.queuedBytes + cost > socket.receiveBufferBytes && socket.queue.length > 0) {
    socket.overflows += 1;
    return false;
  }
  socket.queuedBytes += cost;
  socket.queue.push({ data, from });
  return true;
}

/** Takes everything that waits in a datagram socket. */
export function takeDatagrams(socket: UdpSocket): readonly ReceivedDatagram[] {
  socket.queuedBytes = 0;
  return socket.queue.splice(0);
}
