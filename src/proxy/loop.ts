/** Proxies that would pass on to themselves: what came once would come back without end. */

import type { Address } from "../core/address/address.ts";
import { optionInvalid } from "../core/options/check-options.ts";

/** From where to where a proxy passes on. */
interface Route {
  readonly name: string;
  readonly listen: Address;
  readonly upstream: Address;
}

/** Throws `OPTION_INVALID` when what `start` passes on comes back to it, by itself or by way of others. */
export function refuseLoop(start: Route, others: Iterable<Route>, op: string): void {
  const rest = Array.from(others).filter(({ name }) => name !== start.name);
  // Grows while it is gone through.
  const reached = new Set([start]);
  for (const { name, upstream } of reached) {
    if (meets(upstream, start.listen)) {
      const way = name === start.name ? "" : `, by way of the proxy ${JSON.stringify(name)}`;
      const detail = `upstream ${String(start.upstream)} leads back to ${String(start.listen)}${way}, where the proxy itself listens`;
      throw optionInvalid({ op }, `${detail}: nothing would ever arrive; give the address of the server as upstream`);
    }
    for (const one of rest) if (meets(upstream, one.listen)) reached.add(one);
  }
}

/** Whether what is sent to one address may come to a door at the other one. */
function meets(to: Address, door: Address): boolean {
  if (to.transport === "unix" || door.transport === "unix") return to.equals(door);
  const isOther = (to.transport === "udp") !== (door.transport === "udp") || to.port !== door.port;
  if (isOther || door.port === 0) return false;
  if (to.host === door.host) return true;
  const isNear = (isWide(to) || to.isLoopback) && (isWide(door) || door.isLoopback);
  return isNear && (isWide(to) || isWide(door)) && (isBoth(to) || isBoth(door) || to.family === door.family);
}

/** It stands for several addresses of this machine. */
function isWide(address: Address): boolean {
  return address.host === "0.0.0.0" || isBoth(address);
}

/** It stands for addresses of both families: `localhost` is a name. */
function isBoth({ host, family, isLoopback }: Address): boolean {
  return host === "::" || (family === "name" && isLoopback);
}
