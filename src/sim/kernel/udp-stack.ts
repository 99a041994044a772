/** The UDP of one host (RFC 768): who gets a datagram, and what becomes of one that nobody awaits. */

import {
  type Endpoint,
  isBroadcastIp,
  isGroup,
  isIpv6,
  type Machine,
  type Packet,
  Route,
  type TcpFailure,
} from "./packet.ts";
import {
  checkPlace,
  covers,
  type Interface,
  KernelRefusal,
  needsZone,
  type Place,
  type Standing,
  Standings,
} from "./ports.ts";
import {
  deliver,
  groupPlace,
  hears,
  isPeer,
  type Membership,
  mostExact,
  routeOf,
  type UdpSocket,
} from "./udp-socket.ts";
import { type Way, wayTo, wayToMany } from "./way.ts";

const MOST_BYTES: { readonly 4: number; readonly 6: number } = { 4: 65_507, 6: 65_527 };

/** A datagram on its way. */
interface SentDatagram {
  readonly packet: Packet & { readonly kind: "udp" };
  /** It leaves the machine. */
  readonly leaves: boolean;
  /** The machine itself hears it, on this interface. */
  readonly heardOn: Interface | undefined;
}

/** The UDP of one host. Whoever calls it looks at the datagram sockets that it answers with, and takes `answers`. */
export class UdpStack {
  readonly #machine: Machine;
  readonly #answers: Packet[] = [];
  readonly #sockets = new Standings<UdpSocket>();
  /** How many datagram sockets have joined, by group, interface and source. */
  readonly #members = new Map<string, number>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** All datagram sockets, in the order in which they were made. */
  get sockets(): readonly UdpSocket[] {
    return [...this.#sockets.all];
  }

  /** Opens a datagram socket. Throws {@link KernelRefusal}. */
  bind(asked: Standing, remote: Place | undefined, receiveBufferBytes: number): UdpSocket {
    const { addresses, random } = this.#machine;
    checkPlace(asked.local, "udp", addresses);
    const local = this.#sockets.place(asked, random);
    const peer = remote === undefined ? undefined : this.#peerOf(local, remote);
    // A peer settles the own address, where the datagram socket has none.
    const { ip } = local;
    const settled = peer !== undefined && (ip === "0.0.0.0" || ip === "::") ? { ...local, ip: peer.from } : local;
    const socket: UdpSocket = {
      ...asked,
      local: settled,
      remote: peer === undefined ? undefined : { ip: peer.to, port: remote?.port ?? 0 },
      ipv6: isIpv6(ip),
      flow: this.#machine.newFlow(),
      receiveBufferBytes,
      queue: [],
      failures: [],
      queuedBytes: 0,
      overflows: 0,
      broadcast: false,
      loopback: true,
      outgoing: undefined,
      memberships: new Map(),
      route: undefined,
    };
    this.#sockets.add(socket);
    return socket;
  }

  /** Closes a datagram socket. */
  close(socket: UdpSocket): void {
    this.#sockets.delete(socket);
    socket.queue.length = 0;
    for (const [place, sources] of socket.memberships) for (const source of sources) this.#count(place, source, -1);
  }

  /** Joins a group; false when it has done so already. */
  join(socket: UdpSocket, membership: Membership): boolean {
    const { source } = membership;
    const place = groupPlace(membership);
    const sources = socket.memberships.get(place) ?? new Set();
    if (sources.has(source)) return false;
    socket.memberships.set(place, sources.add(source));
    this.#count(place, source, 1);
    return true;
  }

  /** Leaves a group; false when it is not a member. */
  leave(socket: UdpSocket, membership: Membership): boolean {
    const { source } = membership;
    const place = groupPlace(membership);
    const sources = socket.memberships.get(place);
    if (sources?.delete(source) !== true) return false;
    if (sources.size === 0) socket.memberships.delete(place);
    this.#count(place, source, -1);
    return true;
  }

  /** Sends one datagram: answers where it goes. Throws {@link KernelRefusal}. */
  send(socket: UdpSocket, data: Buffer, to: Place): SentDatagram {
    if (data.length > MOST_BYTES[isIpv6(to.ip) ? 6 : 4]) throw new KernelRefusal("DATAGRAM_TOO_LARGE");
    if (to.port === 0) throw new KernelRefusal("OPTION_INVALID");
    const toMany = isGroup(to.ip) || this.#isBroadcast(to.ip);
    if (!toMany) {
      const route = routeOf(socket, this.#wayTo(to.ip, socket.local), to.port);
      return { packet: { kind: "udp", route, data }, leaves: true, heardOn: undefined };
    }
    const chosen = to.zone ?? (socket.ipv6 === isIpv6(to.ip) ? socket.outgoing : undefined);
    const way = wayToMany(to.ip, socket.local, chosen, this.#machine);
    if (!isGroup(to.ip) && !socket.broadcast) throw new KernelRefusal("PERMISSION_DENIED");
    const { via } = way;
    const heard = way.from !== "::1" && (via === "lo" || socket.loopback || !isGroup(to.ip));
    const packet = { kind: "udp", route: routeOf(socket, way, to.port), data } as const;
    return { packet, leaves: via === "eth0", heardOn: heard ? via : undefined };
  }

  /** A datagram for this host arrived. Answers the datagram sockets that have it now. */
  receive(packet: Packet & { kind: "udp" }, via: Interface = "eth0"): readonly UdpSocket[] {
    const { from, to } = packet.route;
    const here = [...this.#sockets.at(to.port)].filter((socket) => isPeer(socket, from));
    if (isGroup(to.ip)) {
      if (!this.#isMember(to.ip, via, from.ip)) return [];
      return here.filter((socket) => hears(socket, to.ip, via, from.ip) && deliver(socket, packet));
    }
    if (this.#isBroadcast(to.ip)) return here.filter((socket) => covers(socket, to.ip) && deliver(socket, packet));
    const best = mostExact(here, to.ip);
    if (best !== undefined) return deliver(best, packet) ? [best] : [];
    // RFC 1122 section 4.1.3.1: port unreachable.
    const route = new Route("refusal", to, from);
    this.#answers.push({ kind: "refusal", route, about: "udp", failure: "refused" });
    return [];
  }

  /** The network could not deliver a datagram of ours: only a connected datagram socket is told (RFC 1122 section 4.1.3.3). */
  refused(local: Endpoint, { ip, port }: Endpoint, failure: TcpFailure): readonly UdpSocket[] {
    const told = [...this.#sockets.at(local.port)].filter(({ remote }) => remote?.ip === ip && remote.port === port);
    for (const { failures } of told) failures.push(failure);
    return told;
  }

  /** Takes the packets that belong to no datagram socket. */
  answers(): readonly Packet[] {
    return this.#answers.splice(0);
  }

  /** Forgets everything without a word. */
  halt(): void {
    this.#sockets.clear();
    this.#members.clear();
  }

  #wayTo(ip: string, place: Place): Way {
    return wayTo(ip, place, this.#machine);
  }

  #isBroadcast(ip: string): boolean {
    return isBroadcastIp(ip, this.#machine.addresses);
  }

  /** The way to the peer of a connected datagram socket, which must exist before the first datagram. */
  #peerOf(local: Place, remote: Place): Way {
    const { ip, zone } = remote;
    if (needsZone(ip) && (zone ?? local.zone) === undefined) throw new KernelRefusal("NETWORK_UNREACHABLE");
    if (!isGroup(ip) && !this.#isBroadcast(ip)) return this.#wayTo(ip, local);
    const way = wayToMany(ip, local, zone, this.#machine);
    if (!isGroup(ip)) throw new KernelRefusal("PERMISSION_DENIED");
    return way;
  }

  #count(place: string, source: string, change: number): void {
    const key = `${place} ${source}`;
    const count = (this.#members.get(key) ?? 0) + change;
    if (count > 0) this.#members.set(key, count);
    else this.#members.delete(key);
  }

  /** Whether any datagram socket of this host has joined the group: then its datagrams come in. */
  #isMember(group: string, via: Interface, from: string): boolean {
    const place = groupPlace({ group, via });
    return this.#members.has(`${place} `) || this.#members.has(`${place} ${from}`);
  }
}
