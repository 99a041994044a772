/** The host of an address: an IP address with its zone, or a name in ASCII. */

import { parseIpv4, parseIpv6 } from "./ip.ts";
import type { AddressFamily, AddressParts } from "./parts.ts";
import type { Fail } from "./problem.ts";
import { quoted } from "../peer-error.ts";

/** Linux has 15, Windows may use long names; in characters. */
const MAX_ZONE_LENGTH = 64;

/** Host, zone and family; what stands before the port. */
export type Host = Pick<AddressParts, "family" | "host" | "zone">;

/** The host of an object, where the zone may stand in the host or beside it. */
export function hostOfInit(text: string, zone: unknown, fail: Fail): Host {
  if (zone !== undefined && typeof zone !== "string") throw fail("zone", "must be a text");
  if (text.startsWith("[")) throw fail("host", "has brackets; in an object an IPv6 address has none");
  if (!text.includes(":")) {
    if (zone !== undefined && zone !== "") throw fail("zone", "is allowed with an IPv6 address only");
    return ipv4OrName(text, fail);
  }
  const percent = text.indexOf("%");
  if (percent === -1) return ipv6(text, zone === undefined || zone === "" ? "" : checkZone(zone, fail), fail);
  if (zone !== undefined && zone !== "") throw fail("zone", "is given twice");
  return ipv6(text.slice(0, percent), checkZone(text.slice(percent + 1), fail), fail);
}

/** An IPv6 address without brackets and zone. */
export function ipv6(text: string, zone: string, fail: Fail): Host {
  const host = parseIpv6(text);
  if (host === undefined) throw fail("host", `${quoted(text)} is not an IPv6 address`);
  return { family: 6, host, zone };
}

/** What has no colon: an IPv4 address or a name. */
export function ipv4OrName(text: string, fail: Fail): Host {
  const all = "0.0.0.0 or [::] stands for all addresses of this machine";
  if (text === "") throw fail("host", `is missing; ${all}`);
  if (text === "*") throw fail("host", `"*" says neither IPv4 nor IPv6; ${all}`);
  const ipv4 = parseIpv4(text);
  const family: AddressFamily = ipv4 === undefined ? "name" : 4;
  return { family, host: ipv4 ?? hostName(text, fail), zone: "" };
}

/** RFC 6874: in a URL the zone stands after "%25" and is percent-encoded. The bare form (RFC 4007) is taken too. */
export function zoneOfUrl(text: string, fail: Fail): string {
  if (text === "%25") throw fail("zone", `"25" is ambiguous after a bare "%"; write %2525`);
  if (!text.startsWith("%25")) return checkZone(text.slice(1), fail);
  let zone: string;
  try {
    zone = decodeURIComponent(text.slice("%25".length));
  } catch {
    throw fail("zone", `${quoted(text)} has a wrong percent-encoding`);
  }
  return checkZone(zone, fail);
}

/** Visible ASCII without the characters that end a zone, a host or an authority in some notation. */
function checkZone(zone: string, fail: Fail): string {
  if (zone === "") throw fail("zone", "is empty; write the name or number of an interface after the %");
  if (zone.length > MAX_ZONE_LENGTH) throw fail("zone", `has more than ${MAX_ZONE_LENGTH} characters`);
  const wrong = /[^!-~]|[#%/:?@[\\\]]/u.exec(zone);
  if (wrong !== null) throw fail("zone", `${quoted(zone)} has the character ${quoted(wrong[0])}`);
  return zone;
}

/** RFC 1035 section 2.3.4, in characters: a name on the wire has 255 bytes, two of which are not text. */
const MAX_NAME_LENGTH = 253;

/** RFC 1035 section 2.3.4, in characters. */
const MAX_LABEL_LENGTH = 63;

const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/;

/** A host name in lower case ASCII. One trailing dot (an absolute name) is kept. */
function hostName(text: string, fail: Fail): string {
  const name = /^\p{ASCII}*$/u.test(text) ? text.toLowerCase() : toAscii(text, fail);
  const labels = (name.endsWith(".") ? name.slice(0, -1) : name).split(".");
  for (const label of labels) checkLabel(label, text, fail);
  if (labels.join(".").length > MAX_NAME_LENGTH) {
    throw fail("host", `has more than ${MAX_NAME_LENGTH} characters`);
  }
  // A name that ends in a number is read as an IPv4 address by some programs and as a name by others.
  if (NUMERIC_LABEL.test(labels.at(-1) ?? "")) {
    const form = "four decimal numbers from 0 to 255 without leading zeros";
    throw fail("host", `${quoted(text)} is not an IPv4 address; write ${form}`);
  }
  return name;
}

function checkLabel(label: string, text: string, fail: Fail): void {
  if (label === "") throw fail("host", `${quoted(text)} has an empty label; remove the surplus dot`);
  const wrong = /[^a-z0-9_-]/u.exec(label);
  if (wrong !== null) throw fail("host", `${quoted(text)} has the character ${quoted(wrong[0])}`);
  if (label.length > MAX_LABEL_LENGTH) {
    throw fail("host", `has a label of more than ${MAX_LABEL_LENGTH} characters`);
  }
  if (label.startsWith("-") || label.endsWith("-")) {
    throw fail("host", `${quoted(text)} has a label that begins or ends with a hyphen`);
  }
}

/** The global `URL` is the only converter that needs no import; it sees nothing but letters, digits and dots. */
function toAscii(text: string, fail: Fail): string {
  const wrong = /[^A-Za-z0-9._\-\u0080-\u{10ffff}]/u.exec(text);
  if (wrong !== null) throw fail("host", `${quoted(text)} has the character ${quoted(wrong[0])}`);
  try {
    return new URL(`http://${text}`).hostname;
  } catch {
    throw fail("host", `${quoted(text)} cannot be written in ASCII (IDNA); check the spelling`);
  }
}
