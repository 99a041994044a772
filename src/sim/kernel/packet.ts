/** What hosts send each other, and what a kernel needs of the world around it. */

import type { RandomStream } from "../../core/faults/random-stream.ts";
import type { Segment } from "./segment.ts";
import type { TcpFailure } from "./tcp-connection.ts";

/** An IP address in canonical form, and a port. */
export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** One packet; `refusal` is an ICMP message about a packet that `from` and `to` name from the view of its sender. */
export type Packet =
  | { readonly kind: "tcp"; readonly from: Endpoint; readonly to: Endpoint; readonly segment: Segment }
  | { readonly kind: "udp"; readonly from: Endpoint; readonly to: Endpoint; readonly data: Buffer }
  | {
      readonly kind: "refusal";
      readonly from: Endpoint;
      readonly to: Endpoint;
      readonly about: "tcp" | "udp";
      readonly failure: TcpFailure;
    };

/** A kernel's world: time, the way out, and chance. */
export interface KernelEnvironment {
  readonly random: RandomStream;
  /** The own addresses, without loopback. */
  readonly addresses: readonly string[];
  readonly nowUs: () => number;
  /** Lets `action` happen later; the answer cancels it. */
  readonly at: (atUs: number, flow: number, action: () => void) => () => void;
  readonly newFlow: () => number;
  readonly send: (packet: Packet, flow: number) => void;
  /** Largest packet on the way to an address. */
  readonly mtuTo: (ip: string) => number;
  /** Why there is no way to an address, if that is known at once. */
  readonly noWayTo: (ip: string) => TcpFailure | undefined;
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

/** The broadcast addresses that the simulated networks know. */
export function isBroadcastIp(ip: string): boolean {
  return ip === "255.255.255.255" || (!isIpv6(ip) && ip.endsWith(".255") && !isGroup(ip));
}

/** Host and port as text. */
export function endpointText({ ip, port }: Endpoint): string {
  return isIpv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** The flow of two end points in traces. */
export function flowText(kind: string, from: Endpoint, to: Endpoint): string {
  return `${kind} ${endpointText(from)}>${endpointText(to)}`;
}
