/** How the kernel wants a network interface named in the calls for multicast. */

import net from "node:net";
import os from "node:os";
import { ZocaloError } from "../core/errors.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import { hasNumber } from "./zone.ts";

/**
 * From an interface's name, one of its addresses, or for IPv6 its number, to what `dgram` takes: an IPv4 address of it, or `::%zone` for IPv6.
 * Throws `ADDRESS_NOT_AVAILABLE` when this machine has no such interface.
 */
export function multicastInterface(nameOrAddress: string, family: 4 | 6, context: OperationContext): string {
  if (family === 4 && net.isIPv4(nameOrAddress)) return nameOrAddress;
  const interfaces = Object.entries(os.networkInterfaces());
  const found = interfaces.find(
    ([name, list]) =>
      name === nameOrAddress ||
      list?.some((one) => one.address === nameOrAddress || (family === 6 && hasNumber(one, nameOrAddress))),
  );
  const [name = "", addresses = []] = found ?? [];
  const match = addresses.find((entry) => entry.family === (family === 4 ? "IPv4" : "IPv6"));
  if (match === undefined) {
    const known = interfaces.map(([each]) => each).join(", ");
    const detail = `no interface "${nameOrAddress}" with an IPv${family} address; this machine has ${known}`;
    throw new ZocaloError("ADDRESS_NOT_AVAILABLE", { ...context, detail });
  }
  if (family === 4) return match.address;
  // Windows names zones by number (RFC 4007 section 11.2 leaves it to the system).
  return process.platform === "win32" ? `::%${(match as os.NetworkInterfaceInfoIPv6).scopeid}` : `::%${name}`;
}
