/** What hosts send each other, and what a kernel knows of the world around it. */

import { hashText, type RandomStream } from "../../core/faults/random-stream.ts";
import { NO_DATA, type Segment, TCP_HEADER_BYTES } from "./segment.ts";
import type { TcpFailure } from "./tcp-connection.ts";

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
  const index = Math.floor(bit / 8);
  data[index] = (data[index] as number) ^ (1 << (bit % 8));
  return { ...packet, data };
}
