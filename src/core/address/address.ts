/**
 * The address of a socket: a value that is parsed once, compared and printed everywhere.
 */

import { ANYTHING, checkOptions, type RulesOf, TEXT } from "../options/check-options.ts";
import { showAsText } from "../show-as.ts";
import { canonicalIpv6, isIn, unmappedIpv4 } from "./ip.ts";
import { checkNames, partsOfInit, partsOfText } from "./parse.ts";
import {
  type AddressChange,
  type AddressFamily,
  type AddressParams,
  type AddressParseOptions,
  type AddressParts,
  formatAddress,
  formatHostPort,
  NO_PARAMS,
  type Transport,
} from "./parts.ts";
import { failure } from "./problem.ts";

export type { AddressChange, AddressFamily, AddressParams, AddressParseOptions, Transport } from "./parts.ts";

/**
 * An address as a plain object: a host and a port, or the path of a Unix socket.
 *
 * - `host`: an IPv4 address in four decimal parts, an IPv6 address without brackets (with or without `%zone`), or a
 *   host name.
 * - `port`: 0 to 65535; 0 lets the kernel pick a free one.
 * - `path`: a file path, or "\0" and a name in the abstract namespace of Linux.
 *
 * @example
 * ```ts
 * import { Address } from "zocalo";
 * const listener = Address.parse({ transport: "tcp", host: "::1", port: 7000 });
 * ```
 */
export type AddressInit =
  | {
      readonly transport?: "tcp" | "tls" | "udp" | undefined;
      readonly host: string;
      readonly port: number;
      readonly zone?: string | undefined;
      readonly params?: AddressParams | undefined;
    }
  | { readonly transport?: "unix" | undefined; readonly path: string };

/** Everything that is accepted where an address is expected. */
export type AddressLike = string | URL | Address | AddressInit;

/** What {@link AddressParseOptions} may have; the parser looks at the values. */
const PARSE_RULES: RulesOf<AddressParseOptions> = { transport: ANYTHING, defaultPort: ANYTHING, op: TEXT };

/**
 * The address of one end of a connection or of a datagram socket. It never changes, and two addresses are the same when
 * {@link Address.equals} says so.
 *
 * Addresses are written as URLs:
 *
 * | text | meaning |
 * |---|---|
 * | `tcp://127.0.0.1:7000`, `tls://[::1]:443` | IP address and port |
 * | `tcp://example.org:7000` | a host name; it is looked up when the socket connects |
 * | `tcp://[fe80::1%25eth0]:80`, `tcp://[fe80::1%eth0]:80` | a link-local address and its interface (RFC 6874) |
 * | `udp://239.1.2.3:5000?interface=lo` | with parameters |
 * | `unix:/run/x.sock`, `unix:///run/x.sock`, `unix:x.sock` | a Unix socket in the file system |
 * | `unix:@name` | a Unix socket in the abstract namespace of Linux; Node 20 fills the name with zeros up to 108 bytes |
 *
 * The host is kept in canonical form (RFC 5952 for IPv6, lower case for names), so the same address always has the
 * same text.
 *
 * @example
 * ```ts
 * import { Address } from "zocalo";
 * const address = Address.parse("tcp://[2001:DB8:0:0:0:0:0:1]:7000");
 * console.log(address.host, address.port, String(address)); // 2001:db8::1 7000 tcp://[2001:db8::1]:7000
 * ```
 */
export class Address {
  /** `tcp`, `tls`, `udp` or `unix`. */
  readonly transport: Transport;
  /** What the host is: `4`, `6`, `"name"`, or `"unix"` where there is none. */
  readonly family: AddressFamily;
  /** IP text in canonical form (no brackets, no zone) or a host name in lower case; "" for Unix. */
  readonly host: string;
  /** IPv6 zone id, the interface of a link-local address (RFC 4007); "" if there is none. */
  readonly zone: string;
  /** The port, 0 to 65535; 0 for Unix. */
  readonly port: number;
  /** The path of a Unix socket; it begins with "\0" in the abstract namespace, and is "" for an unnamed peer. */
  readonly path: string;
  /** The parameters after the `?`; a shared frozen empty object by default. */
  readonly params: AddressParams;
  #text: string | undefined;

  private constructor(
    transport: Transport,
    family: AddressFamily,
    host: string,
    zone: string,
    port: number,
    path: string,
    params: AddressParams,
  ) {
    this.transport = transport;
    this.family = family;
    this.host = host;
    this.zone = zone;
    this.port = port;
    this.path = path;
    this.params = params;
  }

  /**
   * Reads an address from a text, a `URL`, an object, or another address (which is returned as it is).
   *
   * @throws UsageError `ADDRESS_INVALID`: the detail names the part that is wrong and shows the input.
   * @example
   * ```ts
   * import { Address } from "zocalo";
   * Address.parse("unix:/run/app.sock");
   * Address.parse("localhost:7000", { transport: "tcp" });
   * Address.parse({ transport: "udp", host: "127.0.0.1", port: 0 });
   * ```
   */
  static parse(input: AddressLike, options: AddressParseOptions = {}): Address {
    checkOptions({ op: "Address.parse" }, options, PARSE_RULES);
    if (input instanceof Address) return input;
    if (typeof input === "string") return Address.#of(partsOfText(input, options));
    if (input instanceof URL) return Address.#of(partsOfText(input.href, options));
    return Address.#of(partsOfInit(input, options));
  }

  /**
   * Makes an address from an IP text that the kernel wrote, such as the sender of a datagram. Nothing is checked, so it
   * costs one object; `%zone` is split off.
   */
  static fromIp(transport: "tcp" | "tls" | "udp", ip: string, port: number): Address {
    if (!ip.includes(":")) return new Address(transport, 4, ip, "", port, "", NO_PARAMS);
    const percent = ip.indexOf("%");
    const host = percent === -1 ? ip : ip.slice(0, percent);
    const zone = percent === -1 ? "" : ip.slice(percent + 1);
    return new Address(transport, 6, canonicalIpv6(host), zone, port, "", NO_PARAMS);
  }

  /**
   * Makes the address of a Unix socket from a path that the kernel knows. Nothing is checked. "" stands for a peer that
   * has no name, as most clients have none; its text is `unix:`, which {@link Address.parse} does not accept.
   */
  static fromPath(path: string): Address {
    return new Address("unix", "unix", "", "", 0, path, NO_PARAMS);
  }

  static #of(parts: AddressParts): Address {
    const { transport, family, host, zone, port, path, params } = parts;
    return new Address(transport, family, host, zone, port, path, params);
  }

  /**
   * The same address with some parts replaced. A new host drops the zone, unless a new zone is given.
   *
   * @throws UsageError `ADDRESS_INVALID` when a new part is not valid.
   * @example
   * ```ts
   * import { Address } from "zocalo";
   * const next = Address.parse("tcp://127.0.0.1:7000").with({ port: 7001 });
   * ```
   */
  with(change: AddressChange): Address {
    if (typeof change !== "object" || change === null) throw failure("address", change)("address", "must be an object");
    checkNames(change, failure("address", change));
    const transport = change.transport ?? this.transport;
    if (transport === "unix") {
      const path = change.path ?? (this.transport === "unix" ? this.path : undefined);
      return Address.#of(partsOfInit({ ...change, transport, path }, {}));
    }
    const old: AddressChange = this.transport === "unix" ? {} : this;
    const init = {
      transport,
      host: change.host ?? old.host,
      zone: change.zone ?? (change.host === undefined ? old.zone : ""),
      port: change.port ?? old.port,
      path: change.path,
      params: change.params ?? old.params,
    };
    return Address.#of(partsOfInit(init, {}));
  }

  /** True when both have the same transport, host, zone, port, path and parameters. */
  equals(other: Address): boolean {
    return (
      this === other ||
      (this.port === other.port &&
        this.host === other.host &&
        this.transport === other.transport &&
        this.zone === other.zone &&
        this.path === other.path &&
        (this.params === other.params || this.toString() === other.toString()))
    );
  }

  /**
   * An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) as the IPv4 address that it means; any
   * other address as it is. Sockets of this package never show the mapped form; headers and files of other programs may.
   */
  unmapped(): Address {
    if (this.family !== 6) return this;
    const ipv4 = unmappedIpv4(this.host);
    if (ipv4 === undefined) return this;
    return new Address(this.transport, 4, ipv4, "", this.port, "", this.params);
  }

  /** True for an IP address, false for a host name and for Unix. */
  get isIp(): boolean {
    return this.family === 4 || this.family === 6;
  }

  /** 127.0.0.0/8, ::1, and the names `localhost` and `*.localhost` (RFC 6761 section 6.3). */
  get isLoopback(): boolean {
    return this.family === "name" ? /^(?:.+\.)?localhost\.?$/.test(this.host) : isIn("loopback", this);
  }

  /** The private networks: 10/8, 172.16/12, 192.168/16 (RFC 1918) and fc00::/7 (RFC 4193). */
  get isPrivate(): boolean {
    return isIn("private", this);
  }

  /** 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291 section 2.5.6). */
  get isLinkLocal(): boolean {
    return isIn("linkLocal", this);
  }

  /** 224.0.0.0/4 (RFC 5771) and ff00::/8 (RFC 4291 section 2.7). */
  get isMulticast(): boolean {
    return isIn("multicast", this);
  }

  /** 255.255.255.255 (RFC 919). The broadcast address of a subnet cannot be told without its mask. */
  get isBroadcast(): boolean {
    return isIn("broadcast", this);
  }

  /** 0.0.0.0 and ::, which mean "all addresses of this machine" to a listener. */
  get isUnspecified(): boolean {
    return isIn("unspecified", this);
  }

  /** Host and port without scheme: `127.0.0.1:80`, `[::1]:80`, `[fe80::1%25eth0]:80`; for Unix the path, or `@name`. */
  get hostPort(): string {
    return formatHostPort(this);
  }

  /** The address as a URL; {@link Address.parse} reads it back. Made on first use. */
  toString(): string {
    this.#text ??= formatAddress(this);
    return this.#text;
  }

  /** The same text as {@link Address.toString}. */
  toJSON(): string {
    return this.toString();
  }
}
showAsText(Address, "Address", String);
