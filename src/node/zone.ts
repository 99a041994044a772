/** The zone of an IPv6 address, as the kernel wants it (RFC 4007 section 11). */

import net from "node:net";
import os from "node:os";
import type { Address } from "../core/address/address.ts";
import { ZocaloError } from "../core/errors.ts";
import type { OperationContext } from "../io/operation/deadline.ts";

/**
 * The host with its zone, if it has one. `known` keeps the zones that were found, with what the kernel calls them, for one who asks
 * again and again. Throws `ADDRESS_NOT_AVAILABLE` when this machine has no such interface.
 */
export function hostInZone(
  { host, zone }: Pick<Address, "host" | "zone">,
  context: OperationContext,
  known: Map<string, string> = new Map(),
): string {
  if (zone === "") return host;
  const name = known.get(zone) ?? found(zone, context);
  known.set(zone, name);
  return `${host}%${name}`;
}

function found(zone: string, context: OperationContext): string {
  const interfaces = Object.entries(os.networkInterfaces());
  const entry = interfaces.find(([name, list]) => name === zone || list?.some((one) => hasNumber(one, zone)));
  if (entry === undefined) {
    const names = interfaces.map(([name]) => name).join(", ");
    const detail = `no interface "${zone}" has an address here; this machine has ${names}`;
    throw new ZocaloError("ADDRESS_NOT_AVAILABLE", { ...context, detail });
  }
  const [name, list = []] = entry;
  // Windows names zones by number (RFC 4007 section 11.2 leaves it to the system).
  const number = list.find((one) => one.family === "IPv6" && one.scopeid > 0) as
    | os.NetworkInterfaceInfoIPv6
    | undefined;
  return process.platform === "win32" && number !== undefined ? String(number.scopeid) : name;
}

/** Whether an interface has that number; its link-local address knows it. */
function hasNumber(address: os.NetworkInterfaceInfo, zone: string): boolean {
  return address.family === "IPv6" && address.scopeid > 0 && String(address.scopeid) === zone;
}

/**
 * From an interface's name, one of its addresses, or for IPv6 its number, to what `dgram` takes: an IPv4 address of it, or `::%zone` for IPv6.
 * Throws `ADDRESS_NOT_AVAILABLE` when this machine has no such interface.
 */
export function multicastInterface(nameOrAddress: string, family: 4 | 6, context: OperationContext): string {
  if (family === 4 && net.isIPv4(nameOrAddress)) return nameOrAddress;
  const interfaces = Object.entries(os.networkInterfaces());
  const chosen = interfaces.find(
    ([name, list]) =>
      name === nameOrAddress ||
      list?.some((one) => one.address === nameOrAddress || (family === 6 && hasNumber(one, nameOrAddress))),
  );
  const [name = "", addresses = []] = chosen ?? [];
  const match = addresses.find((entry) => entry.family === (family === 4 ? "IPv4" : "IPv6"));
  if (match === undefined) {
    const names = interfaces.map(([each]) => each).join(", ");
    const detail = `no interface "${nameOrAddress}" with an IPv${family} address; this machine has ${names}`;
    throw new ZocaloError("ADDRESS_NOT_AVAILABLE", { ...context, detail });
  }
  if (family === 4) return match.address;
  // Windows names zones by number (RFC 4007 section 11.2 leaves it to the system).
  return process.platform === "win32" ? `::%${(match as os.NetworkInterfaceInfoIPv6).scopeid}` : `::%${name}`;
}
