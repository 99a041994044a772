/**
 * An order of addresses, for lists that people read.
 */
import type { Address } from "./address.ts";
import { ipBytes } from "./ip.ts";
import type { AddressFamily } from "./parts.ts";

const FAMILY_ORDER: readonly AddressFamily[] = [4, 6, "name", "unix"];

/**
 * Compares for `sort`: IPv4, IPv6, names, Unix; within a family by the number that the IP address is, or by the name or
 * path; then by port, and last by text. 0 means that the two are equal.
 */
export function compareAddresses(a: Address, b: Address): number {
  return (
    FAMILY_ORDER.indexOf(a.family) - FAMILY_ORDER.indexOf(b.family) ||
    compareHosts(a, b) ||
    a.port - b.port ||
    compareTexts(a.path, b.path) ||
    compareTexts(a.toString(), b.toString())
  );
}

/** Both have the same family. */
function compareHosts(a: Address, b: Address): number {
  if (!a.isIp) return compareTexts(a.host, b.host);
  return Math.sign(Buffer.compare(ipBytes(a.host), ipBytes(b.host)));
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
