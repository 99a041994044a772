/** Carries packets from host to host: over links with their conditions, unless a partition or a frozen host is in the way. */

import { DEFAULT_CONDITIONS, type LinkTable } from "../../core/faults/conditions.ts";
import { hashBytes } from "../../core/faults/random-stream.ts";
import { type Fate, Link, type LossReason, lostFor, type Streams } from "../../core/faults/link.ts";
import type { PacketCapture } from "../capture/packet-capture.ts";
import {
  corrupted,
  endpointText,
  headerBytesOf,
  isBroadcastIp,
  isGroup,
  isIpv6,
  isLoopbackIp,
  type Packet,
  payloadOf,
  resetFor,
  Route,
  segment,
} from "../kernel/packet.ts";
import type { Scheduler } from "../time/scheduler.ts";
import { PacketRules, type PacketVerdict } from "./packet-rule.ts";
import { type Trace, type TracedHost, tracePacket } from "./trace.ts";

/** A host, as far as packets see it. */
export interface FabricHost extends TracedHost {
  readonly addresses: readonly string[];
  /** Neither sends nor receives. */
  readonly silent: boolean;
  arrive(packet: Packet): void;
}

/** One direction between two hosts, or the loopback interface of one. */
interface Way {
  readonly from: FabricHost;
  readonly to: FabricHost;
  /** Made when it is first asked for, with the conditions that links then have. */
  link: Link | undefined;
  /** How many partitions cut it. */
  cuts: number;
}

/** The loopback interface: no faults, large packets, a little time. */
const LOOPBACK: LinkTable = {
  ...DEFAULT_CONDITIONS,
  latency: { baseUs: 10, spreadUs: 0, shape: "constant" },
  mtuBytes: 65_536,
};
/** How long a kernel looks for a neighbour that does not answer (RFC 4861 section 10; ARP alike). */
const NEIGHBOUR_US = 3_000_000;

/** The fabric of one world. */
export class Fabric {
  /** The conditions of links that nobody has set. */
  defaults: LinkTable = DEFAULT_CONDITIONS;
  /** Receives every packet when it is sent. */
  capture: PacketCapture | undefined;
  /** Faults by predicate. */
  readonly rules: PacketRules = new PacketRules();
  readonly #scheduler: Scheduler;
  readonly #trace: Trace;
  readonly #streams: Streams;
  /** By their addresses, and by their names. */
  readonly #hosts = new Map<string, FabricHost>();
  readonly #named = new Map<string, FabricHost>();
  readonly #ways = new Map<FabricHost, Map<FabricHost, Way>>();

  constructor(scheduler: Scheduler, trace: Trace, streams: Streams) {
    this.#scheduler = scheduler;
    this.#trace = trace;
    this.#streams = streams;
  }

  /** Connects a host to all others. */
  add(host: FabricHost): void {
    this.#named.set(host.name, host);
    for (const ip of host.addresses) this.#hosts.set(ip, host);
  }

  /** The host that has an address. */
  hostAt(ip: string): FabricHost | undefined {
    return this.#hosts.get(ip);
  }

  /** The link from one host to another, by their names. */
  link(from: string, to: string): Link {
    return this.#linkOf(this.#wayNamed(from, to));
  }

  /** Cuts one direction between two hosts, by their names, until the answer is called, once. Cuts add up. */
  cut(from: string, to: string): () => void {
    const way = this.#wayNamed(from, to);
    const change = (by: number): void => {
      way.cuts += by;
      this.#trace.record(this.#scheduler.nowUs, from, `${from}>${to}`, by > 0 ? "cut" : "heal");
    };
    change(1);
    return () => change(-1);
  }

  /** Takes a packet of `from` to where it belongs. */
  send(from: FabricHost, packet: Packet, flow: number): void {
    const { ip } = packet.route.to;
    // Most packets are for another host that is there, and no host has a group's address.
    const host = this.#hosts.get(ip);
    if (host === from) this.#carry(this.#way(from, from), packet, flow);
    else if (packet.route.from.ip === "::1" && (host !== undefined || isGroup(ip))) this.#lose(from, packet, "martian");
    else if (host !== undefined) this.#carry(this.#way(from, host), packet, flow);
    else if (isLoopbackIp(ip)) this.#carry(this.#way(from, from), packet, flow);
    else if (isGroup(ip) || isBroadcastIp(ip, from.addresses)) {
      for (const other of new Set(this.#hosts.values())) {
        const reached = isGroup(ip) || isBroadcastIp(ip, other.addresses);
        const family = other.addresses.some((own) => isIpv6(own) === isIpv6(ip));
        if (other !== from && reached && family) this.#carry(this.#way(from, other), packet, flow);
      }
    } else this.#nobodyThere(from, packet, flow);
  }

  #wayNamed(from: string, to: string): Way {
    return this.#way(this.#named.get(from) as FabricHost, this.#named.get(to) as FabricHost);
  }

  #way(from: FabricHost, to: FabricHost): Way {
    let ways = this.#ways.get(from);
    if (ways === undefined) {
      ways = new Map();
      this.#ways.set(from, ways);
    }
    let way = ways.get(to);
    if (way === undefined) {
      way = { from, to, link: undefined, cuts: 0 };
      ways.set(to, way);
    }
    return way;
  }

  #linkOf(way: Way): Link {
    const { from, to } = way;
    const streams: Streams = (label) => this.#streams(`link/${from.name}>${to.name}/${label}`);
    way.link ??= new Link(streams, from === to ? LOOPBACK : this.defaults);
    return way.link;
  }

  #carry(way: Way, packet: Packet, flow: number): void {
    const { from, to } = way;
    const { nowUs } = this.#scheduler;
    const verdict = this.rules.any ? this.#judge(way, packet) : undefined;
    const lost = verdict === "drop" || verdict === "reset";
    if (verdict === "reset") this.#resetBoth(way, packet, flow);
    const bytes = payloadOf(packet);
    const { length } = bytes;
    const hash = length === 0 ? 0 : hashBytes(bytes);
    const fate = lost ? lostFor("rule") : this.#fateOf(way, packet, length, nowUs);
    this.capture?.packet(nowUs, from.name, packet, fate.lost);
    if (fate.lost !== undefined) {
      return tracePacket(this.#trace, nowUs, from, "lost", packet, length, hash, fate.lost);
    }
    tracePacket(this.#trace, nowUs, from, "send", packet, length, hash);
    const lateUs = verdict === undefined || lost ? 0 : Math.round(verdict.delayMs * 1000);
    const delivered = fate.flippedBit === undefined ? packet : corrupted(packet, fate.flippedBit);
    const arrive = (): void => {
      if (to.silent) this.#lose(to, packet, "frozen");
      else {
        tracePacket(this.#trace, this.#scheduler.nowUs, to, "receive", packet, length, hash);
        to.arrive(delivered);
      }
    };
    this.#scheduler.at(fate.arrivesAtUs + lateUs, flow, arrive);
    if (fate.againAtUs !== undefined) this.#scheduler.at(fate.againAtUs + lateUs, flow, arrive);
  }

  /** What a middlebox does that ends a connection: both ends hear that the other has reset. */
  #resetBoth(way: Way, packet: Packet, flow: number): void {
    if (packet.kind !== "tcp" || packet.segment.rst) return;
    const { from, to } = way;
    const { seq, ack } = packet.segment;
    const forward: Packet = { ...packet, segment: segment({ rst: true, seq, ack }) };
    const route = new Route("tcp", packet.route.to, packet.route.from);
    const back: Packet = { kind: "tcp", route, segment: resetFor(packet.segment) };
    const atUs = this.#scheduler.nowUs + this.#linkOf(way).conditions.latency.baseUs;
    this.capture?.packet(atUs, from.name, forward, undefined);
    this.capture?.packet(atUs, to.name, back, undefined);
    this.#scheduler.at(atUs, flow, () => this.#deliver(to, forward));
    this.#scheduler.at(atUs, flow, () => this.#deliver(from, back));
  }

  #deliver(to: FabricHost, packet: Packet): void {
    tracePacket(this.#trace, this.#scheduler.nowUs, to, "receive", packet, 0, 0, "middlebox");
    if (!to.silent) to.arrive(packet);
  }

  #judge({ from, to }: Way, packet: Packet): PacketVerdict {
    // A rule may do anything: crash a host, heal a partition, resolve what the program waits for.
    this.#scheduler.woke();
    const { kind, route } = packet;
    const [source, destination] = [endpointText(route.from), endpointText(route.to)];
    const payload = payloadOf(packet);
    return this.rules.decide({ from: from.name, to: to.name, kind, source, destination, payload });
  }

  #fateOf(way: Way, packet: Packet, payloadBytes: number, nowUs: number): Fate {
    if (way.from.silent) return lostFor("frozen");
    if (way.cuts > 0) return lostFor("partition");
    const headerBytes = headerBytesOf(packet);
    return this.#linkOf(way).send({ payloadBytes, headerBytes, checked: packet.kind !== "udp" }, nowUs);
  }

  #lose(host: FabricHost, packet: Packet, reason: LossReason): void {
    tracePacket(this.#trace, this.#scheduler.nowUs, host, "lost", packet, 0, 0, reason);
  }

  #nobodyThere(from: FabricHost, packet: Packet, flow: number): void {
    this.#lose(from, packet, "no host");
    if (packet.kind === "refusal") return;
    const { kind: about, route } = packet;
    const back = new Route("refusal", route.to, route.from);
    const refusal = { kind: "refusal", route: back, about, failure: "host unreachable" } as const;
    this.#scheduler.at(this.#scheduler.nowUs + NEIGHBOUR_US, flow, () => from.arrive(refusal));
  }
}
