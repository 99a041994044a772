/** Carries packets from host to host: over links with their conditions, unless a partition or a frozen host is in the way. */

import { DEFAULT_CONDITIONS, type LinkTable } from "../../core/faults/conditions.ts";
import { hashBytes, hashText, mix32 } from "../../core/faults/random-stream.ts";
import { type Fate, Link, type LossReason, lostFor, type Streams } from "../../core/faults/link.ts";
import type { PacketCapture } from "../capture/packet-capture.ts";
import { endpointText, isBroadcastIp, isGroup, isIpv6, isLoopbackIp, type Packet, Route } from "../kernel/packet.ts";
import { flagsOf, NO_DATA, resetFor, segment, type Segment, TCP_HEADER_BYTES } from "../kernel/segment.ts";
import type { Scheduler } from "../time/scheduler.ts";
import { PacketRules, type PacketVerdict } from "./packet-rule.ts";
import type { Trace } from "./trace.ts";

/** What happened to a packet. */
type PacketVerb = "send" | "receive" | "lost";

/** Numbers for the hash. */
const VERBS: Readonly<Record<PacketVerb, number>> = { send: 1, receive: 2, lost: 3 };
const KINDS: Readonly<Record<Packet["kind"], number>> = { tcp: 4, udp: 8, refusal: 12 };
const PRIME = 0x01000193;

/** A host, as the trace names it. */
interface TracedHost {
  readonly name: string;
  /** Of the name. */
  readonly nameHash: number;
}

/** Adds one line about a packet; `why` stands in brackets behind it. */
function tracePacket(
  trace: Trace,
  atUs: number,
  host: TracedHost,
  verb: PacketVerb,
  packet: Packet,
  length: number,
  hash: number,
  why = "",
): void {
  const { route } = packet;
  let event = VERBS[verb] + KINDS[packet.kind];
  if (packet.kind === "tcp") event = segmentNumber(packet.segment, event);
  else if (packet.kind === "refusal") event = hashText(packet.failure, event);
  if (why !== "") event = hashText(why, event);
  trace.add(atUs, host.nameHash, route.hash, event, length, hash);
  if (!trace.wantsLines) return;
  const text = `${verb} ${eventOf(packet)}${why === "" ? "" : ` (${why})`}`;
  trace.line(atUs, host.name, route.text, text, length, hash);
}

function segmentNumber({ seq, ack = -1, syn, fin, rst }: Segment, start: number): number {
  const flags = (syn ? 16 : 0) + (fin ? 32 : 0) + (rst ? 64 : 0);
  return mix32(Math.imul((start + flags) ^ seq, PRIME) ^ ack);
}

function eventOf(packet: Packet): string {
  if (packet.kind === "tcp") return `${flagsOf(packet.segment)} ${packet.segment.seq}/${packet.segment.ack ?? ""}`;
  return packet.kind === "udp" ? "datagram" : packet.failure;
}

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
const UDP_HEADER_BYTES = { 4: 28, 6: 48 } as const;
const BITS = 8;

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
  readonly #hosts: Map<string, FabricHost> = new Map();
  readonly #named: Map<string, FabricHost> = new Map();
  readonly #ways: Map<FabricHost, Map<FabricHost, Way>> = new Map();

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

  /** Cuts one direction between two hosts, by their names, until the answer is called. Cuts add up. */
  cut(from: string, to: string): () => void {
    const way = this.#wayNamed(from, to);
    const change = (by: number): void => {
      way.cuts += by;
      this.#trace.record(this.#scheduler.nowUs, from, `${from}>${to}`, by > 0 ? "cut" : "heal");
    };
    change(1);
    let healed = false;
    return () => {
      if (!healed) change(-1);
      healed = true;
    };
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
        const reached = other !== from && other.addresses.some((own) => isIpv6(own) === isIpv6(ip));
        if (reached && reaches(ip, other)) this.#carry(this.#way(from, other), packet, flow);
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
    way.link ??= new Link(
      (label) => this.#streams(`link/${from.name}>${to.name}/${label}`),
      from === to ? LOOPBACK : this.defaults,
    );
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
      tracePacket(this.#trace, nowUs, from, "lost", packet, length, hash, fate.lost);
      return;
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
    const source = endpointText(packet.route.from);
    const destination = endpointText(packet.route.to);
    const payload = payloadOf(packet);
    return this.rules.decide({ from: from.name, to: to.name, kind: packet.kind, source, destination, payload });
  }

  #fateOf(way: Way, packet: Packet, payloadBytes: number, nowUs: number): Fate {
    if (way.from.silent) return lostFor("frozen");
    if (way.cuts > 0) return lostFor("partition");
    const family = isIpv6(packet.route.to.ip) ? 6 : 4;
    const headerBytes = packet.kind === "tcp" ? TCP_HEADER_BYTES[family] : UDP_HEADER_BYTES[family];
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

/** Whether a group or a broadcast address reaches a host. */
function reaches(ip: string, host: FabricHost): boolean {
  return isGroup(ip) || isBroadcastIp(ip, host.addresses);
}

function payloadOf(packet: Packet): Buffer {
  if (packet.kind === "tcp") return packet.segment.data;
  return packet.kind === "udp" ? packet.data : NO_DATA;
}

function corrupted(packet: Packet, bit: number): Packet {
  if (packet.kind !== "udp") return packet;
  const data = Buffer.from(packet.data);
  const index = Math.floor(bit / BITS);
  data[index] = (data[index] as number) ^ (1 << (bit % BITS));
  return { ...packet, data };
}
