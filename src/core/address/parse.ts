/**
 * From what a program gives (a text or an object) to the checked parts of an address.
 *
 * The grammar is stricter than RFC 3986 where two programs could read one text differently: no user info, no path
 * and no fragment beside a host, no leading zeros, no name that ends in a number, and no `*`.
 */

import { ANYTHING, noSuchOption, type RulesOf } from "../options/check-options.ts";
import { parseIpv4, parseIpv6 } from "./ip.ts";
import {
  type AddressFamily,
  type AddressParts,
  checkParams,
  NO_PARAMS,
  parseParams,
  type Transport,
  TRANSPORTS,
} from "./parts.ts";
import { type Fail, failure, quoted } from "./problem.ts";
import { checkUnixPath, parsePlainPath, parseUnixUrl } from "./unix-path.ts";

/** How to read what an input leaves out; documented at `AddressParseOptions`. */
export interface PartsOptions {
  readonly transport?: Transport | undefined;
  readonly defaultPort?: number | undefined;
  readonly op?: string | undefined;
}

/** An address as an object, before any check: programs without types can put anything into it. */
export interface PartsInit {
  readonly transport?: unknown;
  readonly host?: unknown;
  readonly zone?: unknown;
  readonly port?: unknown;
  readonly path?: unknown;
  readonly params?: unknown;
}

/** The longest text that is looked at, in characters; the longest useful one is far shorter. */
const MAX_TEXT_LENGTH = 2048;

/** Linux has 15, Windows may use long names; in characters. */
const MAX_ZONE_LENGTH = 64;

/** Host, zone and family; what stands before the port. */
type Host = Pick<AddressParts, "family" | "host" | "zone">;

/** Reads a text: a URL, or with `options.transport` also `host:port` or a plain path. */
export function partsOfText(text: string, options: PartsOptions): AddressParts {
  const fail = failure(options.op ?? "address", text);
  if (text.length > MAX_TEXT_LENGTH) throw fail("address", `has more than ${MAX_TEXT_LENGTH} characters`);
  if (/^unix:/i.test(text)) return unixParts(parseUnixUrl(text.slice("unix:".length), fail));
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text);
  if (scheme === null && options.transport === undefined) throw fail("scheme", missingScheme(text));
  const transport = checkTransport(scheme?.[1]?.toLowerCase() ?? options.transport, fail);
  if (transport === "unix") return unixParts(parsePlainPath(text, fail));
  return partsOfAuthority(transport, text.slice(scheme?.[0].length ?? 0), options, fail);
}

/** Checks an object with a host and a port, or with a path. */
export function partsOfInit(init: PartsInit, options: PartsOptions): AddressParts {
  const fail = failure(options.op ?? "address", init);
  if (typeof init !== "object" || init === null) throw fail("address", "must be a text, a URL, or an object");
  const transport = checkTransport(init.transport ?? (init.path === undefined ? options.transport : "unix"), fail);
  if (transport === "unix") {
    checkUnixInit(init, fail);
    checkNames(init, fail);
    return unixParts(checkUnixPath(init.path as string, fail));
  }
  if (init.path !== undefined) throw fail("path", `is not allowed with ${transport}; give a host and a port`);
  if (typeof init.host !== "string") throw fail("host", "is missing; give a text");
  checkNames(init, fail);
  return {
    transport,
    ...hostOfInit(init.host, init.zone, fail),
    port: checkPort(init.port ?? options.defaultPort, fail),
    path: "",
    params: checkParams(init.params as AddressParts["params"], fail),
  };
}

/** The parts of an address as an object; their values are looked at one by one. */
const PARTS: RulesOf<PartsInit> = {
  transport: ANYTHING,
  host: ANYTHING,
  zone: ANYTHING,
  port: ANYTHING,
  path: ANYTHING,
  params: ANYTHING,
};

/** Refuses a part that there is not: what was meant would be left out. */
export function checkNames(init: object, fail: Fail): void {
  const unknown = Object.keys(init).find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) throw fail("address", `is wrong: ${noSuchOption(unknown, PARTS, "", "part")}`);
}

/** A Unix address has nothing but a path. */
function checkUnixInit(init: PartsInit, fail: Fail): void {
  if (init.host !== undefined) throw fail("host", "is not allowed in a Unix address; give a path");
  if (init.port !== undefined) throw fail("port", "is not allowed in a Unix address");
  if (init.zone !== undefined) throw fail("zone", "is not allowed in a Unix address");
  if (init.params !== undefined) throw fail("parameter", "list is not allowed in a Unix address");
}

function unixParts(path: string): AddressParts {
  return { transport: "unix", family: "unix", host: "", zone: "", port: 0, path, params: NO_PARAMS };
}

/** RFC 3986 section 3.2 without user info: host, port and parameters. */
function partsOfAuthority(
  transport: "tcp" | "tls" | "udp",
  text: string,
  options: PartsOptions,
  fail: Fail,
): AddressParts {
  if (text.includes("#")) throw fail("fragment", "is not allowed; remove the # and what follows");
  const question = text.indexOf("?");
  const authority = question === -1 ? text : text.slice(0, question);
  const slash = authority.indexOf("/");
  if (slash !== -1) throw fail("path", `${quoted(authority.slice(slash))} is not allowed after the port; remove it`);
  if (authority.includes("@")) throw fail("user info", "is not allowed; remove the @ and what is before it");
  const { host, rest } = authority.startsWith("[") ? bracketed(authority, fail) : plain(authority, fail);
  return {
    transport,
    ...host,
    port: rest === "" ? checkPort(options.defaultPort, fail) : parsePort(rest.slice(1), fail),
    path: "",
    params: parseParams(question === -1 ? undefined : text.slice(question + 1), fail),
  };
}

/** `[::1]:80`, `[fe80::1%25eth0]:80`; `rest` is what follows the bracket. */
function bracketed(authority: string, fail: Fail): { host: Host; rest: string } {
  const close = authority.indexOf("]");
  if (close === -1) throw fail("host", `has no closing "]"`);
  const rest = authority.slice(close + 1);
  if (rest !== "" && !rest.startsWith(":")) throw fail("port", `${quoted(rest)} must be ":" and a number`);
  const inside = authority.slice(1, close);
  const percent = inside.indexOf("%");
  if (percent === -1) return { host: ipv6(inside, "", fail), rest };
  const zone = zoneOfUrl(inside.slice(percent), fail);
  return { host: ipv6(inside.slice(0, percent), zone, fail), rest };
}

/** `127.0.0.1:80`, `example.org:80`; `rest` begins with the colon. */
function plain(authority: string, fail: Fail): { host: Host; rest: string } {
  const colon = authority.indexOf(":");
  const text = colon === -1 ? authority : authority.slice(0, colon);
  const rest = colon === -1 ? "" : authority.slice(colon);
  if (rest.indexOf(":", 1) !== -1) {
    throw fail("host", "has more than one colon; an IPv6 address needs brackets, as in [::1]:80");
  }
  return { host: ipv4OrName(text, fail), rest };
}

function hostOfInit(text: string, zone: unknown, fail: Fail): Host {
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

function ipv6(text: string, zone: string, fail: Fail): Host {
  const host = parseIpv6(text);
  if (host === undefined) throw fail("host", `${quoted(text)} is not an IPv6 address`);
  return { family: 6, host, zone };
}

function ipv4OrName(text: string, fail: Fail): Host {
  const all = "0.0.0.0 or [::] stands for all addresses of this machine";
  if (text === "") throw fail("host", `is missing; ${all}`);
  if (text === "*") throw fail("host", `"*" says neither IPv4 nor IPv6; ${all}`);
  const ipv4 = parseIpv4(text);
  const family: AddressFamily = ipv4 === undefined ? "name" : 4;
  return { family, host: ipv4 ?? hostName(text, fail), zone: "" };
}

/** RFC 6874: in a URL the zone stands after "%25" and is percent-encoded. The bare form (RFC 4007) is taken too. */
function zoneOfUrl(text: string, fail: Fail): string {
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

function parsePort(text: string, fail: Fail): number {
  if (text === "") throw fail("port", "is missing after the colon; 0 picks a free one");
  if (!/^(?:0|[1-9][0-9]*)$/.test(text)) {
    throw fail("port", `${quoted(text)} is not a decimal number without leading zeros`);
  }
  return checkPort(Number(text), fail);
}

function checkPort(port: unknown, fail: Fail): number {
  if (port === undefined) throw fail("port", "is missing; add one, as in localhost:7000");
  if (typeof port !== "number" || !Number.isInteger(port) || port < 0 || port > 65_535) {
    const shown =
      typeof port === "number" || typeof port === "string" ? quoted(String(port)) : `of type ${typeof port}`;
    throw fail("port", `${shown} is not a whole number from 0 to 65535`);
  }
  return port === 0 ? 0 : port; // -0 is 0
}

function checkTransport(transport: unknown, fail: Fail): Transport {
  const known = TRANSPORTS.find((one) => one === transport);
  if (known !== undefined) return known;
  const problem = typeof transport === "string" ? `${quoted(transport)} is unknown` : "is missing";
  throw fail("scheme", `${problem}; known are ${TRANSPORTS.join(", ")}`);
}

function missingScheme(text: string): string {
  const scheme = /^(tcp|tls|udp):/i.exec(text);
  if (scheme !== null) return `must be followed by "//", as in ${scheme[1]}://localhost:7000`;
  return `is missing; known are ${TRANSPORTS.join(", ")}, as in tcp://localhost:7000`;
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
    throw fail(
      "host",
      `${quoted(text)} is not an IPv4 address; write four decimal numbers from 0 to 255 without leading zeros`,
    );
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
