/** Addresses and ports: where something may stand, and which ports are free. */

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

/** The interfaces of every host. */
export type Interface = "lo" | "eth0";

/** An end point, with the interface that its address names. */
export interface Place extends Endpoint {
  readonly zone?: Interface | undefined;
}

/** What stands on an address: a listener or a datagram socket. */
export interface Standing {
  readonly local: Place;
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

/** All that stands on a host, for one transport. */
export class Standings<T extends Standing> {
  /** In the order in which they came. */
  readonly all: Set<T> = new Set();
  readonly #byPort = new Map<number, Set<T>>();

  /** Whether anything stands on a port. */
  has(port: number): boolean {
    return this.#byPort.has(port);
  }

  /** Those on a port, the first one first. */
  at(port: number): Iterable<T> {
    return this.#byPort.get(port) ?? [];
  }

  add(standing: T): void {
    const { port } = standing.local;
    const others = this.#byPort.get(port) ?? new Set();
    this.#byPort.set(port, others.add(standing));
    this.all.add(standing);
  }

  delete(standing: T): void {
    const { port } = standing.local;
    const others = this.#byPort.get(port);
    others?.delete(standing);
    if (others?.size === 0) this.#byPort.delete(port);
    this.all.delete(standing);
  }

  clear(): void {
    this.all.clear();
    this.#byPort.clear();
  }

  /** Picks a port where it is 0. Throws {@link KernelRefusal} where nothing can stand beside those that do. */
  place(asked: Standing, random: RandomStream): Place {
    const { local } = asked;
    const taken = (port: number): boolean => {
      for (const other of this.at(port)) {
        const apart = (other.shared && asked.shared) || !(covers(other, local.ip) || covers(asked, other.local.ip));
        if (!apart) return true;
      }
      return false;
    };
    const port = local.port === 0 ? freePort(random, taken) : local.port;
    if (port === undefined || taken(port)) throw new KernelRefusal("ADDRESS_IN_USE");
    return { ...local, port };
  }
}

/** Throws {@link KernelRefusal} where nothing can stand on an address, whoever else does. */
export function checkPlace({ ip, zone }: Place, transport: "tcp" | "udp", addresses: readonly string[]): void {
  if (isIpv6(ip) && isGroup(ip) && transport === "tcp") throw new KernelRefusal("OPTION_INVALID");
  if (needsZone(ip) && zone === undefined) throw new KernelRefusal("OPTION_INVALID");
  const own = isWildcard(ip) || isLoopbackIp(ip) || isGroup(ip) || isBroadcastIp(ip, addresses);
  if (!own && !addresses.includes(ip)) throw new KernelRefusal("ADDRESS_NOT_AVAILABLE");
}

/** Whether an address is one of a link or an interface (RFC 4291 sections 2.5.6 and 2.7). */
export function needsZone(ip: string): boolean {
  return /^(?:fe[89ab]|ff[0-9a-f][12])/.test(ip);
}

/** A free ephemeral port, from a seeded place on; undefined when there is none. */
export function freePort(random: RandomStream, taken: (port: number) => boolean): number | undefined {
  const count = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1;
  const start = random.below(count);
  for (let step = 0; step < count; step += 1) {
    const port = FIRST_EPHEMERAL + ((start + step) % count);
    if (!taken(port)) return port;
  }
  return undefined;
}
