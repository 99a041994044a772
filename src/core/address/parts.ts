/**
 * What an address consists of, before it becomes an object: the plain data that the parser, the formatter and the
 * classifier share.
 */

import { type Fail, percentDecoded } from "./problem.ts";
import { quoted } from "../peer-error.ts";
import { formatUnixPath } from "./unix-path.ts";

/** How the bytes travel: TCP, TLS over TCP, a Unix socket, or UDP. */
export type Transport = "tcp" | "tls" | "unix" | "udp";

/** What the host of an address is: an IPv4 address, an IPv6 address, a host name, or nothing because it is a path. */
export type AddressFamily = 4 | 6 | "name" | "unix";

/** Options that an address carries after its `?`, by name. */
export type AddressParams = Readonly<Record<string, string>>;

/** How `Address.parse` reads what is not written out. */
export interface AddressParseOptions {
  /** The transport of a text without scheme (`localhost:7000`) or an object without `transport`; default: none, so
   * that such an address is an error. */
  readonly transport?: Transport | undefined;
  /** The port of a text that has none; default: none, so that such an address is an error. */
  readonly defaultPort?: number | undefined;
  /** The operation that an error names; default `address`. */
  readonly op?: string | undefined;
}

/** What `Address.with` replaces. What is left out stays; a new host drops the zone of the old one. */
export interface AddressChange {
  /** Default: as it is. */
  readonly transport?: Transport | undefined;
  /** An IP address or a name. Default: as it is. */
  readonly host?: string | undefined;
  /** The interface of a link-local address. Default: as it is, or none with a new host. */
  readonly zone?: string | undefined;
  /** 0 to 65535. Default: as it is. */
  readonly port?: number | undefined;
  /** Of a Unix socket. Default: as it is. */
  readonly path?: string | undefined;
  /** All parameters, in place of the old ones. Default: as they are. */
  readonly params?: AddressParams | undefined;
}

/** The plain data of one address, checked and in canonical form. */
export interface AddressParts {
  readonly transport: Transport;
  readonly family: AddressFamily;
  /** IP text or host name, without brackets and without zone; "" for Unix. */
  readonly host: string;
  /** IPv6 zone id (RFC 4007); "" if there is none. */
  readonly zone: string;
  /** 0 to 65535; 0 for Unix. */
  readonly port: number;
  /** File path, or "\0" and a name in the abstract namespace; "" unless Unix. */
  readonly path: string;
  readonly params: AddressParams;
}

/** The parameters of every address that has none: one frozen object, so that a received datagram makes no new one. */
export const NO_PARAMS: AddressParams = Object.freeze({});

/** Every transport, in the order in which messages list them. */
export const TRANSPORTS: readonly Transport[] = ["tcp", "tls", "udp", "unix"];

/** Reads the text after the `?`; undefined when the address has none. */
export function parseParams(query: string | undefined, fail: Fail): AddressParams {
  if (query === undefined) return NO_PARAMS;
  const entries = query.split("&").map((pair): [string, string] => {
    const equals = pair.indexOf("=");
    if (equals === -1) return [percentDecoded("parameter", pair, fail), ""];
    return [
      percentDecoded("parameter", pair.slice(0, equals), fail),
      percentDecoded("parameter", pair.slice(equals + 1), fail),
    ];
  });
  return frozen(entries, fail);
}

/** Checks the parameters of an address that was given as an object. */
export function checkParams(params: AddressParams | undefined, fail: Fail): AddressParams {
  if (params === undefined || params === NO_PARAMS) return NO_PARAMS;
  if (typeof params !== "object" || params === null) throw fail("parameter", "list must be an object of texts");
  return frozen(Object.entries(params), fail);
}

/** The text from the `?` on; "" when there are no parameters. */
export function formatParams(params: AddressParams): string {
  if (params === NO_PARAMS) return "";
  const pairs = Object.entries(params).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  return `?${pairs.join("&")}`;
}

/** Sorted by name, so that the same parameters always give the same text. */
function frozen(entries: (readonly [string, unknown])[], fail: Fail): AddressParams {
  const sorted: [string, string][] = [];
  for (const [name, value] of entries) {
    if (typeof value !== "string") throw fail("parameter", `${quoted(name)} must be a text`);
    if (name === "") throw fail("parameter", "has no name; write ?name=value");
    if (/\p{Surrogate}/u.test(name + value)) throw fail("parameter", `${quoted(name)} is not valid Unicode`);
    sorted.push([name, value]);
  }
  if (sorted.length === 0) return NO_PARAMS;
  sorted.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const twice = sorted.find(([name], index) => name === sorted[index + 1]?.[0]);
  if (twice !== undefined) throw fail("parameter", `${quoted(twice[0])} is given twice`);
  return Object.freeze(Object.fromEntries(sorted));
}

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
