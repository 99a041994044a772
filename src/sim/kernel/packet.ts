/** What hosts send each other, and what a kernel knows of the world around it. */

import { flipBit } from "../../core/faults/link.ts";
import { hashText, type RandomStream } from "../../core/faults/random-stream.ts";

/** Bytes of a segment without payload: IPv4 and TCP headers, without options. */
export const TCP_HEADER_BYTES: { readonly 4: number; readonly 6: number } = { 4: 40, 6: 60 };

/** A stretch of sequence numbers that arrived out of order, its end excluded (RFC 2018). */
export type SackBlock = readonly [from: number, to: number];

/**
 * One segment. Sequence numbers are whole numbers that do not wrap. Segments are never changed once they are sent, since
 * a link may deliver one twice.
 */
export interface Segment {
  /** Of the first byte, or of the SYN or FIN where there is none. */
  readonly seq: number;
  /** What the sender expects next; undefined without ACK. */
  readonly ack: number | undefined;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  /** Bytes that the sender has room for, from `ack` on. */
  readonly window: number;
  readonly data: Buffer;
  readonly sacks: readonly SackBlock[];
  /** With SYN: the largest payload that the sender takes. */
  readonly mss: number;
}

/** The payload of segments that carry none. */
export const NO_DATA: Buffer = Buffer.alloc(0);

/** No stretches out of order. */
export const NO_SACKS: readonly SackBlock[] = [];

/** A segment with these fields, and nothing else. */
export function segment(fields: Partial<Segment>): Segment {
  const { seq = 0, ack, syn = false, fin = false, rst = false, window = 0 } = fields;
  const { data = NO_DATA, sacks = NO_SACKS, mss = 0 } = fields;
  return { seq, ack, syn, fin, rst, window, data, sacks, mss };
}

/** How many sequence numbers a segment takes. */
export function sequenceLength({ data, syn, fin }: Pick<Segment, "data" | "syn" | "fin">): number {
  return data.length + (syn ? 1 : 0) + (fin ? 1 : 0);
}

/** The answer of a kernel that knows no connection for a segment (RFC 9293 section 3.10.7.1). */
export function resetFor(received: Segment): Segment {
  if (received.ack !== undefined) return segment({ rst: true, seq: received.ack });
  return segment({ rst: true, seq: 0, ack: received.seq + sequenceLength(received) });
}

/** The flags as letters, for traces: `SA`, `F.`, `R`. */
export function flagsOf({ syn, fin, rst, ack }: Segment): string {
  return `${syn ? "S" : ""}${fin ? "F" : ""}${rst ? "R" : ""}${ack === undefined ? "" : "."}`;
}

/** Why a connection was lost, or never came to be. */
export type TcpFailure = "refused" | "reset" | "timed out" | "host unreachable" | "network unreachable";

/** An IP address in canonical form, and a port. */
export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** One direction between two end points: made once for many packets, since its text and its hash are dear. */
export class Route {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** The flow in traces: `tcp 192.0.2.1:49152>192.0.2.2:80`. */
  readonly text: string;
  /** Of the text. */
  readonly hash: number;

  constructor(kind: "tcp" | "udp" | "refusal", from: Endpoint, to: Endpoint) {
    this.from = from;
    this.to = to;
    this.text = flowText(kind, from, to);
    this.hash = hashText(this.text);
  }
}

/** One packet; `refusal` is an ICMP message about a packet whose route was the opposite one. */
export type Packet =
  | { readonly kind: "tcp"; readonly route: Route; readonly segment: Segment }
  | { readonly kind: "udp"; readonly route: Route; readonly data: Buffer }
  | { readonly kind: "refusal"; readonly route: Route; readonly about: "tcp" | "udp"; readonly failure: TcpFailure };

/** What a kernel knows of its machine and of the network, and its chance. */
export interface Machine {
  readonly random: RandomStream;
  /** The own addresses, without loopback. */
  readonly addresses: readonly string[];
  /** Largest packet on the way to an address. */
  readonly mtuTo: (ip: string) => number;
  /** Why there is no way to an address, if that is known at once. */
  readonly noWayTo: (ip: string) => TcpFailure | undefined;
  /** A number for what a new socket does, in order. */
  readonly newFlow: () => number;
}

/** Whether an address is IPv6. */
export function isIpv6(ip: string): boolean {
  return ip.includes(":");
}

/** Loopback addresses: each host has its own. */
export function isLoopbackIp(ip: string): boolean {
  return ip === "::1" || ip.startsWith("127.");
}

/** `0.0.0.0` and `::`. */
export function isWildcard(ip: string): boolean {
  return ip === "0.0.0.0" || ip === "::";
}

/** Multicast groups. */
export function isGroup(ip: string): boolean {
  return isIpv6(ip) ? ip.startsWith("ff") : /^2(?:2[4-9]|3\d)\./.test(ip);
}

/** The broadcast addresses of a host that has these addresses: each is one of a network of 256. */
export function isBroadcastIp(ip: string, addresses: readonly string[]): boolean {
  if (!ip.endsWith(".255")) return false;
  if (ip === "255.255.255.255" || ip === "127.255.255.255") return true;
  const network = ip.slice(0, -"255".length);
  return addresses.some((own) => own.startsWith(network));
}

/** Host and port as text. */
export function endpointText({ ip, port }: Endpoint): string {
  return isIpv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** The flow of two end points in traces. */
export function flowText(kind: string, from: Endpoint, to: Endpoint): string {
  return `${kind} ${endpointText(from)}>${endpointText(to)}`;
}

/** IP and UDP headers. */
const UDP_HEADER_BYTES = { 4: 28, 6: 48 } as const;

/** The bytes of a packet that are no payload. */
export function headerBytesOf({ kind, route }: Packet): number {
  return (kind === "tcp" ? TCP_HEADER_BYTES : UDP_HEADER_BYTES)[isIpv6(route.to.ip) ? 6 : 4];
}

/** The bytes that a packet carries. */
export function payloadOf(packet: Packet): Buffer {
  if (packet.kind === "tcp") return packet.segment.data;
  return packet.kind === "udp" ? packet.data : NO_DATA;
}

/** The same packet with one bit of its payload changed, if nothing checks it on its way. */
export function corrupted(packet: Packet, bit: number): Packet {
  if (packet.kind !== "udp") return packet;
  const data = Buffer.from(packet.data);
  flipBit(data, bit);
  return { ...packet, data };
}
