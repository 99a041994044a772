/**
 * The text of an address; `parse.ts` reads it back.
 */
import { formatParams } from "./params.ts";
import type { AddressParts } from "./parts.ts";
import { formatUnixPath } from "./unix-path.ts";

/** The address as a URL. */
export function formatAddress(address: AddressParts): string {
  if (address.transport === "unix") return `unix:${formatUnixPath(address.path)}`;
  return `${address.transport}://${formatHostPort(address)}${formatParams(address.params)}`;
}

/** Host and port, with brackets around IPv6 and the zone as RFC 6874 writes it; for Unix the path. */
export function formatHostPort(address: AddressParts): string {
  if (address.transport === "unix") return address.path.replace(/^\0/, "@");
  if (address.family !== 6) return `${address.host}:${address.port}`;
  const zone = address.zone === "" ? "" : `%25${encodeURIComponent(address.zone)}`;
  return `[${address.host}${zone}]:${address.port}`;
}
