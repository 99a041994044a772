/** Carries packets from host to host: over links with their conditions, unless a partition or a frozen host is in the way. */

import { DEFAULT_CONDITIONS, type LinkTable } from "../../core/faults/conditions.ts";
import { hashBytes } from "../../core/faults/hash.ts";
import { type Fate, Link, type LossReason, lostFor, type Streams } from "../../core/faults/link.ts";
import type { PacketCapture } from "../capture/packet-capture.ts";
import { endpointText, flowText, isBroadcastIp, isGroup, isIpv6, isLoopbackIp, type Packet } from "../kernel/packet.ts";
import { flagsOf, NO_DATA, resetFor, segment, TCP_HEADER_BYTES } from "../kernel/segment.ts";
import { PacketRules, type PacketVerdict } from "./packet-rule.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

/** A host, as far as packets see it. */
export interface FabricHost {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Neither sends nor receives. */
  readonly silent: boolean;
  arrive(packet: Packet): void;
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
  readonly #hosts: Map<string, FabricHost> = new Map();
  readonly #links: Map<string, Link> = new Map();
  /** How many partitions cut each direction. */
  readonly #cuts: Map<string, number> = new Map();

  constructor(scheduler: Scheduler, trace: Trace, streams: Streams) {
    this.#scheduler = scheduler;
    this.#trace = trace;
    this.#streams = streams;
  }

  /** Connects a host to all others. */
  add(host: FabricHost): void {
    for (const ip of host.addresses) this.#hosts.set(ip, host);
  }

  /** The host that has an address. */
  hostAt(ip: string): FabricHost | undefined {
    return this.#hosts.get(ip);
  }

  /** The link from one host to another. */
  link(from: string, to: string): Link {
    const key = `${from}>${to}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      const conditions = from === to ? LOOPBACK : this.defaults;
      link = new Link((label) => this.#streams(`link/${key}/${label}`), conditions);
      this.#links.set(key, link);
    }
    return link;
  }

  /** Cuts one direction, until the answer is called. Cuts add up. */
  cut(from: string, to: string): () => void {
    const key = `${from}>${to}`;
    const change = (by: number): void => {
      this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + by);
      this.#trace.record(this.#scheduler.nowUs, from, key, by > 0 ? "cut" : "heal");
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
    const { ip } = packet.to;
    if (isLoopbackIp(ip) || from.addresses.includes(ip)) this.#carry(from, from, packet, flow);
    else if (isGroup(ip) || isBroadcastIp(ip)) {
      for (const host of new Set(this.#hosts.values())) {
        const reached = host !== from && host.addresses.some((own) => isIpv6(own) === isIpv6(ip));
        if (reached && inBroadcast(ip, host)) this.#carry(from, host, packet, flow);
      }
    } else {
      const host = this.#hosts.get(ip);
      if (host !== undefined) this.#carry(from, host, packet, flow);
      else this.#nobodyThere(from, packet, flow);
    }
  }

  #carry(from: FabricHost, to: FabricHost, packet: Packet, flow: number): void {
    const nowUs = this.#scheduler.nowUs;
    const verdict = this.rules.any ? this.#judge(from, to, packet) : undefined;
    const lost = verdict === "drop" || verdict === "reset";
    if (verdict === "reset") this.#resetBoth(from, to, packet, flow);
    const fate = lost ? lostFor("rule") : this.#fateOf(from, to, packet, nowUs);
    const lateUs = verdict === undefined || lost ? 0 : Math.round(verdict.delayMs * 1000);
    const text = flowText(packet.kind, packet.from, packet.to);
    const bytes = payloadOf(packet);
    const hash = bytes === undefined ? 0 : hashBytes(bytes);
    const length = bytes?.length ?? 0;
    const what = eventOf(packet);
    this.capture?.packet(nowUs, from.name, packet, fate.lost);
    if (fate.lost !== undefined) {
      this.#trace.record(nowUs, from.name, text, `lost ${what} (${fate.lost})`, length, hash);
      return;
    }
    this.#trace.record(nowUs, from.name, text, `send ${what}`, length, hash);
    const delivered = fate.flippedBit === undefined ? packet : corrupted(packet, fate.flippedBit);
    const arrive = (): void => {
      if (to.silent) this.#lose(to, text, what, "frozen");
      else {
        this.#trace.record(this.#scheduler.nowUs, to.name, text, `receive ${what}`, length, hash);
        to.arrive(delivered);
      }
    };
    this.#scheduler.at(fate.arrivesAtUs + lateUs, flow, arrive);
    if (fate.againAtUs !== undefined) this.#scheduler.at(fate.againAtUs + lateUs, flow, arrive);
  }

  /** What a middlebox does that ends a connection: both ends hear that the other has reset. */
  #resetBoth(from: FabricHost, to: FabricHost, packet: Packet, flow: number): void {
    if (packet.kind !== "tcp" || packet.segment.rst) return;
    const { seq, ack } = packet.segment;
    const forward: Packet = { ...packet, segment: segment({ rst: true, seq, ack }) };
    const back: Packet = { kind: "tcp", from: packet.to, to: packet.from, segment: resetFor(packet.segment) };
    const atUs = this.#scheduler.nowUs + this.link(from.name, to.name).conditions.latency.baseUs;
    this.capture?.packet(atUs, from.name, forward, undefined);
    this.capture?.packet(atUs, to.name, back, undefined);
    this.#scheduler.at(atUs, flow, () => this.#deliver(to, forward));
    this.#scheduler.at(atUs, flow, () => this.#deliver(from, back));
  }

  #deliver(to: FabricHost, packet: Packet): void {
    const text = flowText(packet.kind, packet.from, packet.to);
    this.#trace.record(this.#scheduler.nowUs, to.name, text, `receive ${eventOf(packet)} (middlebox)`);
    if (!to.silent) to.arrive(packet);
  }

  #judge(from: FabricHost, to: FabricHost, packet: Packet): PacketVerdict {
    // A rule may do anything: crash a host, heal a partition, resolve what the program waits for.
    this.#scheduler.woke();
    const source = endpointText(packet.from);
    const destination = endpointText(packet.to);
    const payload = payloadOf(packet) ?? NO_DATA;
    return this.rules.decide({ from: from.name, to: to.name, kind: packet.kind, source, destination, payload });
  }

  #fateOf(from: FabricHost, to: FabricHost, packet: Packet, nowUs: number): Fate {
    if (from.silent) return lostFor("frozen");
    if ((this.#cuts.get(`${from.name}>${to.name}`) ?? 0) > 0) return lostFor("partition");
    const family = isIpv6(packet.to.ip) ? 6 : 4;
    const headerBytes = packet.kind === "tcp" ? TCP_HEADER_BYTES[family] : UDP_HEADER_BYTES[family];
    const payloadBytes = payloadOf(packet)?.length ?? 0;
    return this.link(from.name, to.name).send({ payloadBytes, headerBytes, checked: packet.kind !== "udp" }, nowUs);
  }

  #lose(host: FabricHost, text: string, what: string, reason: LossReason): void {
    this.#trace.record(this.#scheduler.nowUs, host.name, text, `lost ${what} (${reason})`);
  }

  #nobodyThere(from: FabricHost, packet: Packet, flow: number): void {
    this.#lose(from, flowText(packet.kind, packet.from, packet.to), eventOf(packet), "no host");
    if (packet.kind === "refusal") return;
    const { kind: about, from: source, to } = packet;
    const refusal = { kind: "refusal", from: to, to: source, about, failure: "host unreachable" } as const;
    this.#scheduler.at(this.#scheduler.nowUs + NEIGHBOUR_US, flow, () => from.arrive(refusal));
  }
}

/** Whether a broadcast address reaches a host: all of them, or those of its /24. */
function inBroadcast(ip: string, host: FabricHost): boolean {
  if (!isBroadcastIp(ip) || ip === "255.255.255.255") return true;
  const network = ip.slice(0, ip.lastIndexOf(".") + 1);
  return host.addresses.some((own) => own.startsWith(network));
}

function payloadOf(packet: Packet): Buffer | undefined {
  if (packet.kind === "tcp") return packet.segment.data;
  return packet.kind === "udp" ? packet.data : undefined;
}

function eventOf(packet: Packet): string {
  if (packet.kind === "tcp") return `${flagsOf(packet.segment)} ${packet.segment.seq}/${packet.segment.ack ?? ""}`;
  return packet.kind === "udp" ? "datagram" : packet.failure;
}

function corrupted(packet: Packet, bit: number): Packet {
  if (packet.kind !== "udp") return packet;
  const data = Buffer.from(packet.data);
  const index = Math.floor(bit / BITS);
  data[index] = (data[index] as number) ^ (1 << (bit % BITS));
  return { ...packet, data };
}
