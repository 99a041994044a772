/** From an address to a place that a simulated kernel knows. */

import type { Address } from "../../core/address/address.ts";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import type { OperationContext } from "../../io/operation/deadline.ts";
import type { Interface, Place } from "../kernel/ports.ts";

/** The interfaces of every host, by their numbers and names. */
const INTERFACES: Readonly<Record<string, Interface>> = { lo: "lo", "1": "lo", eth0: "eth0", "2": "eth0" };

/** The place of an IP address. Throws `UNSUPPORTED` for a path, `ADDRESS_NOT_AVAILABLE` for an interface that there is not. */
export function placeOf(address: Address, context: OperationContext): Place {
  const { host: ip, port, zone } = address;
  if (address.isIp) return zone === "" ? { ip, port } : { ip, port, zone: interfaceOf(zone, context) };
  const detail = "a simulated host has no Unix sockets; use tcp://127.0.0.1 for programs on one host";
  throw new UsageError("UNSUPPORTED", { ...context, detail });
}

/** An interface by its name or number. */
export function interfaceOf(name: string, context: OperationContext): Interface {
  const found = INTERFACES[name];
  if (found !== undefined) return found;
  const detail = `this host has no interface ${name}; simulated hosts have lo and eth0`;
  throw new ZocaloError("ADDRESS_NOT_AVAILABLE", { ...context, detail });
}
