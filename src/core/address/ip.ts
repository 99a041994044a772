/**
 * IP addresses as text and as bytes. Strict: four decimal parts for IPv4, the forms of RFC 4291 section 2.2 for IPv6.
 * The parser of `ipaddr.js` also takes octal, hexadecimal and short forms, which other programs read as other
 * addresses; they are turned away here before it sees them.
 */

import ipaddr from "ipaddr.js";
import type { AddressParts } from "./parts.ts";

/** The longest text of an IPv6 address, in characters: six groups of four and a dotted tail. */
const MAX_IPV6_LENGTH = 45;

/** An IPv4 address in four decimal parts, 0 to 255 each, without leading zeros; undefined for anything else. */
export function parseIpv4(text: string): string | undefined {
  return /^[0-9.]{7,15}$/.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text) ? text : undefined;
}

/** An IPv6 address without brackets and zone, in canonical form; undefined when the text is not one. */
export function parseIpv6(text: string): string | undefined {
  if (text.length > MAX_IPV6_LENGTH || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined;
  const groups = withoutDottedTail(text);
  if (groups === undefined || !ipaddr.IPv6.isValid(groups)) return undefined;
  return canonicalText(ipaddr.IPv6.parse(groups));
}

/** The bytes of an IP address in network order, 4 or 16; the text must be one that this file made or checked. */
export function ipBytes(host: string): Uint8Array {
  if (!host.includes(":")) return Uint8Array.from(host.split("."), Number);
  return Uint8Array.from(ipaddr.IPv6.parse(withoutDottedTail(host) ?? host).toByteArray());
}

/** The canonical text of 4 or 16 bytes in network order. */
export function ipText(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join(".") : canonicalText(new ipaddr.IPv6(Array.from(bytes)));
}

/**
 * The canonical form of an IPv6 text that the kernel wrote. The C library differs from RFC 5952 in one case only: it
 * writes a dotted tail for the deprecated IPv4-compatible addresses (`::1.2.3.4`) too. All else is passed through.
 */
export function canonicalIpv6(text: string): string {
  if (!text.includes(".") || text.startsWith("::ffff:")) return text;
  return parseIpv6(text) ?? text;
}

/** The IPv4 text inside an IPv4-mapped IPv6 address in canonical form; undefined for any other address. */
export function unmappedIpv4(host: string): string | undefined {
  return host.startsWith("::ffff:") && host.includes(".") ? host.slice("::ffff:".length) : undefined;
}

/** RFC 5952 section 4; section 5 for IPv4-mapped addresses, whose last 32 bits are written in dotted decimal. */
function canonicalText(address: ipaddr.IPv6): string {
  if (!address.isIPv4MappedAddress()) return address.toRFC5952String();
  return `::ffff:${address.toIPv4Address().toString()}`;
}

/** `::ffff:192.0.2.1` as `::ffff:c000:201`; undefined when the dotted tail is not a strict IPv4 address. */
function withoutDottedTail(text: string): string | undefined {
  if (!text.includes(".")) return text;
  const start = text.lastIndexOf(":") + 1;
  if (start === 0 || parseIpv4(text.slice(start)) === undefined) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = ipBytes(text.slice(start));
  return `${text.slice(0, start)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** What an IP address can be, by the start of its text in IPv4 and in IPv6. */
type Network = "loopback" | "private" | "linkLocal" | "multicast" | "broadcast" | "unspecified";
const NETWORKS: Readonly<Record<Network, readonly [ipv4: RegExp, ipv6?: RegExp]>> = {
  // RFC 1122 section 3.2.1.3; RFC 4291 section 2.5.3.
  loopback: [/^127\./, /^::1$/],
  // RFC 1918 section 3; unique local addresses, RFC 4193 section 3.1.
  private: [/^(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\./, /^f[cd][0-9a-f]{2}:/],
  // RFC 3927 section 2.1; RFC 4291 section 2.5.6.
  linkLocal: [/^169\.254\./, /^fe[89ab][0-9a-f]:/],
  // RFC 5771; RFC 4291 section 2.7.
  multicast: [/^2(?:2[4-9]|3\d)\./, /^ff[0-9a-f]{2}:/],
  // The limited broadcast address, RFC 919 section 7; IPv6 has none.
  broadcast: [/^255\.255\.255\.255$/],
  // RFC 1122 section 3.2.1.3; RFC 4291 section 2.5.2.
  unspecified: [/^0\.0\.0\.0$/, /^::$/],
};

/** Whether an address is in the network; an IPv4-mapped one is what its IPv4 address is. */
export function isIn(network: Network, { family, host }: Pick<AddressParts, "family" | "host">): boolean {
  const [ipv4, ipv6] = NETWORKS[network];
  if (family !== 4 && family !== 6) return false;
  const mapped = family === 6 ? unmappedIpv4(host) : host;
  return mapped === undefined ? ipv6?.test(host) === true : ipv4.test(mapped);
}
