/** Addresses and ports: which are taken, which are free, and which own address a packet leaves from. */

import type { ErrorCode } from "../../core/errors.ts";
import type { RandomStream } from "../../core/faults/random-stream.ts";
import { type Endpoint, isBroadcastIp, isGroup, isIpv6, isLoopbackIp, isWildcard } from "./packet.ts";

/** The ephemeral ports of Linux. */
const FIRST_EPHEMERAL = 32_768;
const LAST_EPHEMERAL = 60_999;

/** A kernel's refusal of a call, by its code. */
export class KernelRefusal extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

/** What stands on an address: a door or a mailbox. */
export interface Standing {
  readonly local: Endpoint;
  /** On `::`: also IPv4. */
  readonly dual: boolean;
  readonly shared: boolean;
}

/** Whether a packet to `ip` belongs to something that stands on `standing`. */
export function covers(standing: Standing, ip: string): boolean {
  const { local, dual } = standing;
  if (local.ip === ip) return true;
  if (local.ip === "::") return dual || isIpv6(ip);
  return local.ip === "0.0.0.0" && !isIpv6(ip);
}

/** Checks that an address can be stood on, and picks a port where it is 0. */
export function place(
  asked: Standing,
  others: readonly Standing[],
  addresses: readonly string[],
  random: RandomStream,
): Endpoint {
  const { ip, port } = asked.local;
  const own = isWildcard(ip) || isLoopbackIp(ip) || isGroup(ip) || isBroadcastIp(ip) || addresses.includes(ip);
  if (!own) throw new KernelRefusal("ADDRESS_NOT_AVAILABLE");
  const taken = (candidate: number): boolean =>
    others.some(
      (other) =>
        other.local.port === candidate &&
        !(other.shared && asked.shared) &&
        (covers(other, ip) || covers(asked, other.local.ip)),
    );
  if (port !== 0) {
    if (taken(port)) throw new KernelRefusal("ADDRESS_IN_USE");
    return asked.local;
  }
  return { ip, port: freePort(random, taken) };
}

/** A free ephemeral port, from a seeded place on. */
export function freePort(random: RandomStream, taken: (port: number) => boolean): number {
  const count = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1;
  const start = random.below(count);
  for (let step = 0; step < count; step += 1) {
    const port = FIRST_EPHEMERAL + ((start + step) % count);
    if (!taken(port)) return port;
  }
  throw new KernelRefusal("ADDRESS_IN_USE");
}

/** The own address that packets to `ip` leave from; undefined when the host has none of that family. */
export function sourceFor(ip: string, addresses: readonly string[]): string | undefined {
  if (isLoopbackIp(ip)) return isIpv6(ip) ? "::1" : "127.0.0.1";
  if (addresses.includes(ip)) return ip;
  return addresses.find((own) => isIpv6(own) === isIpv6(ip));
}
