/**
 * From what a program gives (a text or an object) to the checked parts of an address.
 *
 * The grammar is stricter than RFC 3986 where two programs could read one text differently: no user info, no path
 * and no fragment beside a host, no leading zeros, no name that ends in a number, and no `*`.
 */

import { ANYTHING, noSuchOption, type RulesOf } from "../options/check-options.ts";
import { type Host, hostOfInit, ipv4OrName, ipv6, zoneOfUrl } from "./host.ts";
import {
  type AddressChange,
  type AddressParseOptions,
  type AddressParts,
  checkParams,
  NO_PARAMS,
  parseParams,
  type Transport,
  TRANSPORTS,
} from "./parts.ts";
import { type Fail, failure } from "./problem.ts";
import { quoted } from "../peer-error.ts";
import { checkUnixPath, parsePlainPath, parseUnixUrl } from "./unix-path.ts";

/** An address as an object, before any check: programs without types can put anything into it. */
type PartsInit = { readonly [Part in keyof AddressChange]?: unknown };

/** The longest text that is looked at, in characters; the longest useful one is far shorter. */
const MAX_TEXT_LENGTH = 2048;

/** Reads a text: a URL, or with `options.transport` also `host:port` or a plain path. */
export function partsOfText(text: string, options: AddressParseOptions): AddressParts {
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
export function partsOfInit(init: PartsInit, options: AddressParseOptions): AddressParts {
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
  options: AddressParseOptions,
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
