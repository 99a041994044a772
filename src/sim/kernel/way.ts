/** Which way a packet takes: to which address, and from which of the own ones; or why there is none. As Linux decides it. */

import { isBroadcastIp, isGroup, isIpv6, isLoopbackIp, isWildcard, type Machine as WholeMachine } from "./packet.ts";
import { type Interface, KernelRefusal, type Place } from "./ports.ts";

/** Both ends of a packet. */
export interface Way {
  readonly from: string;
  readonly to: string;
}

type Machine = Pick<WholeMachine, "addresses" | "noWayTo">;

/** The way to a single machine, from a socket that stands at `place`. Throws {@link KernelRefusal}. */
export function wayTo(ip: string, place: Place | undefined, { addresses, noWayTo }: Machine): Way {
  const own = ownIpOf(place, addresses);
  // The unspecified address is this machine: the socket's own address, or loopback.
  const to = isWildcard(ip) ? (isIpv6(ip) ? "::1" : (own ?? "127.0.0.1")) : ip;
  if (isLoopbackIp(to) && place?.zone === "eth0") throw new KernelRefusal("NETWORK_UNREACHABLE");
  if (isLoopbackIp(to)) return { from: own ?? (isIpv6(to) ? "::1" : "127.0.0.1"), to };
  if (addresses.includes(to)) return { from: own ?? to, to };
  const from = own ?? addresses.find((address) => isIpv6(address) === isIpv6(to));
  if (from === undefined || isStuck(from) || noWayTo(to) !== undefined) throw new KernelRefusal("NETWORK_UNREACHABLE");
  return { from, to };
}

/**
 * The way to a group or a broadcast address. `chosen` is the interface that the program wants groups to leave by; without it
 * they leave by the one that has the own address of the socket. Throws {@link KernelRefusal}.
 */
export function wayToMany(
  to: string,
  place: Place,
  chosen: Interface | undefined,
  { addresses }: Machine,
): Way & { readonly via: Interface } {
  const own = ownIpOf(place, addresses);
  const stuck = own !== undefined && isStuck(own);
  const everybody = to === "255.255.255.255";
  const ofLink = !isGroup(to) && !everybody;
  const usual = (ofLink ? isLoopbackIp(to) : stuck) ? "lo" : "eth0";
  const via = isGroup(to) ? (chosen ?? usual) : usual;
  // Linux has no route for groups of IPv6 on the loopback interface.
  const noWay = isIpv6(to) ? via === "lo" : stuck && via === "eth0";
  if (noWay) throw new KernelRefusal("NETWORK_UNREACHABLE");
  const first = via === "lo" ? undefined : addresses.find((address) => isIpv6(address) === isIpv6(to));
  return { from: own ?? first ?? (isIpv6(to) ? "::1" : "127.0.0.1"), to, via };
}

/** The address that a socket sends from because it stands there; a group and a broadcast address are none. */
function ownIpOf(place: Place | undefined, addresses: readonly string[]): string | undefined {
  if (place === undefined) return undefined;
  const { ip } = place;
  return isWildcard(ip) || isGroup(ip) || isBroadcastIp(ip, addresses) ? undefined : ip;
}

/** Nothing of 127.0.0.0/8 leaves the machine (RFC 1122 section 3.2.1.3). */
function isStuck(ip: string): boolean {
  return !isIpv6(ip) && isLoopbackIp(ip);
}
