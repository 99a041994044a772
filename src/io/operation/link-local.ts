/** Link-local addresses, which are the same on every link: they say nothing without their interface (RFC 4007 section 6). */

import type { Address } from "../../core/address/address.ts";
import { UsageError } from "../../core/errors.ts";
import type { OperationContext } from "./deadline.ts";

/** What is missing of an address; undefined when it is whole. */
export function missingZone(address: Address): string | undefined {
  // Looked at for each datagram, so the prefix goes first.
  if (!address.host.startsWith("fe") || address.family !== 6 || address.zone !== "" || !address.isLinkLocal) {
    return undefined;
  }
  return `a link-local address needs its interface, as in ${address.host}%eth0`;
}

/** Throws `ADDRESS_INVALID` for a link-local address without its interface. */
export function checkZone(address: Address, context: OperationContext): void {
  const detail = missingZone(address);
  if (detail !== undefined) throw new UsageError("ADDRESS_INVALID", { ...context, detail });
}
