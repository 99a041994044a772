/**
 * What kind of host an address names. Read from the canonical text, so nothing is parsed. An IPv4-mapped IPv6 address
 * is what its IPv4 address is.
 */
import { unmappedIpv4 } from "./ip.ts";
import type { AddressParts } from "./parts.ts";

/** 127.0.0.0/8 (RFC 1122 section 3.2.1.3), ::1 (RFC 4291 section 2.5.3), localhost names (RFC 6761 section 6.3). */
export function isLoopback(address: AddressParts): boolean {
  if (address.family === "name") return /^(?:.+\.)?localhost\.?$/.test(address.host);
  return matches(address, /^127\./, /^::1$/);
}

/** RFC 1918 section 3; unique local addresses fc00::/7 (RFC 4193 section 3.1). */
export function isPrivate(address: AddressParts): boolean {
  return matches(address, /^(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\./, /^f[cd][0-9a-f]{2}:/);
}

/** 169.254.0.0/16 (RFC 3927 section 2.1); fe80::/10 (RFC 4291 section 2.5.6). */
export function isLinkLocal(address: AddressParts): boolean {
  return matches(address, /^169\.254\./, /^fe[89ab][0-9a-f]:/);
}

/** 224.0.0.0/4 (RFC 5771); ff00::/8 (RFC 4291 section 2.7). */
export function isMulticast(address: AddressParts): boolean {
  return matches(address, /^2(?:2[4-9]|3\d)\./, /^ff[0-9a-f]{2}:/);
}

/** The limited broadcast address (RFC 919 section 7); IPv6 has none. */
export function isBroadcast(address: AddressParts): boolean {
  return ipv4Of(address) === "255.255.255.255";
}

/** 0.0.0.0 (RFC 1122 section 3.2.1.3); :: (RFC 4291 section 2.5.2). */
export function isUnspecified(address: AddressParts): boolean {
  return matches(address, /^0\.0\.0\.0$/, /^::$/);
}

function matches(address: AddressParts, ipv4: RegExp, ipv6: RegExp): boolean {
  const mapped = ipv4Of(address);
  if (mapped !== undefined) return ipv4.test(mapped);
  return address.family === 6 && ipv6.test(address.host);
}

function ipv4Of(address: AddressParts): string | undefined {
  if (address.family === 4) return address.host;
  return address.family === 6 ? unmappedIpv4(address.host) : undefined;
}
