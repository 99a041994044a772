/**
 * Lists of IP networks, for allowing and denying peers, and the key under which limits per peer are counted.
 */
import type { Address } from "./address.ts";
import { checkOptions, TEXT } from "../options/check-options.ts";
import { ipBytes, ipText, parseIpv4, parseIpv6, unmappedIpv4 } from "./ip.ts";
import { type Fail, failure } from "./problem.ts";
import { quoted } from "../peer-error.ts";

/** An IP network: the bytes of its first address (4 or 16) and how many leading bits belong to it. */
interface IpNetwork {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

/** IPv4-mapped IPv6 addresses are ::ffff:0:0/96 (RFC 4291 section 2.5.5.2). */
const MAPPED_PREFIX_BITS = 96;

/** The usual size of the network of one customer (RFC 6177), within which a host can take any address. */
const LIMIT_PREFIX_BYTES = 8;

/**
 * A list of IP addresses and networks that answers whether an address is in it.
 *
 * Entries are `192.0.2.7`, `10.0.0.0/8`, `2001:db8::1` or `2001:db8::/32`. An IPv4-mapped IPv6 address counts as the
 * IPv4 address that it means, on both sides; so `::/0` is all of IPv6, and `0.0.0.0/0` all of IPv4. Host names and Unix
 * sockets are in no list. Zones are ignored. A look-up is linear in the number of entries.
 *
 * @example
 * ```ts
 * import { Address, AddressList } from "zocalo";
 * const trusted = AddressList.parse(["10.0.0.0/8", "::1"]);
 * console.log(trusted.matches(Address.parse("tcp://10.1.2.3:80"))); // true
 * ```
 */
export class AddressList {
  readonly #networks: readonly IpNetwork[];

  private constructor(networks: readonly IpNetwork[]) {
    this.#networks = networks;
  }

  /**
   * Reads the entries of a list; the empty list matches nothing.
   *
   * @param options - `op`: the operation that an error names; default `AddressList.parse`.
   * @throws UsageError `ADDRESS_INVALID` for an entry that is not an address or network, and for a network with host
   *   bits (`10.1.2.3/8`); the detail names the network that was probably meant.
   */
  static parse(list: readonly string[], options: { readonly op?: string | undefined } = {}): AddressList {
    const { op = "AddressList.parse" } = checkOptions({ op: "AddressList.parse" }, options, { op: TEXT });
    if (!Array.isArray(list)) throw failure(op, list)("address", "list must be an array of texts");
    return new AddressList(Array.from(list, (entry: string) => parseNetwork(entry, failure(op, entry))));
  }

  /** The number of entries. */
  get size(): number {
    return this.#networks.length;
  }

  /** True when the IP address is one of the entries or in one of the networks. */
  matches(address: Address): boolean {
    if (this.#networks.length === 0 || !address.isIp) return false;
    const bytes = ipBytes(address.unmapped().host);
    return this.#networks.some((network) => contains(network, bytes));
  }

  /** The entries in canonical form, in the order given: `10.0.0.0/8, ::1/128`. */
  toString(): string {
    return this.#networks.map(formatNetwork).join(", ");
  }
}

/**
 * The key under which limits per peer are counted: the IPv4 address; the /64 network of an IPv6 address, because a host
 * has all the addresses of its /64 to choose from (RFC 4291 section 2.5.1), with the zone if there is one; the name;
 * or `unix`. IPv4-mapped addresses count as IPv4.
 */
export function limitKey(address: Address): string {
  if (address.transport === "unix") return "unix";
  const { family, host, zone } = address.unmapped();
  if (family !== 6) return host;
  const key = `${ipText(ipBytes(host).fill(0, LIMIT_PREFIX_BYTES))}/64`;
  return zone === "" ? key : `${key}%${zone}`;
}

function parseNetwork(entry: string, fail: Fail): IpNetwork {
  if (typeof entry !== "string") throw fail("address", "must be a text, as in 10.0.0.0/8");
  const slash = entry.indexOf("/");
  const text = slash === -1 ? entry : entry.slice(0, slash);
  const host = parseIpv4(text) ?? parseIpv6(text);
  if (host === undefined) throw fail("host", `${quoted(text)} is not an IP address, as in 10.0.0.0/8 or 2001:db8::/32`);
  const bytes = ipBytes(host);
  const widthBits = bytes.length * 8;
  const network = { bytes, prefixBits: slash === -1 ? widthBits : prefix(entry.slice(slash + 1), widthBits, fail) };
  const first = masked(network);
  if (Buffer.compare(first.bytes, bytes) !== 0) {
    throw fail("prefix", `leaves bits of the address over; the network is ${formatNetwork(first)}`);
  }
  return unmappedNetwork(host, network);
}

function prefix(text: string, widthBits: number, fail: Fail): number {
  const bits = /^(?:0|[1-9][0-9]{0,2})$/.test(text) ? Number(text) : Number.NaN;
  if (!(bits <= widthBits)) throw fail("prefix", `${quoted(text)} is not a whole number from 0 to ${widthBits}`);
  return bits;
}

/** An entry such as ::ffff:10.0.0.0/104 is 10.0.0.0/8; a shorter prefix is a network of IPv6. */
function unmappedNetwork(host: string, network: IpNetwork): IpNetwork {
  const ipv4 = unmappedIpv4(host);
  if (ipv4 === undefined || network.prefixBits < MAPPED_PREFIX_BITS) return network;
  return { bytes: ipBytes(ipv4), prefixBits: network.prefixBits - MAPPED_PREFIX_BITS };
}

/** The same network with all bits after the prefix cleared. */
function masked(network: IpNetwork): IpNetwork {
  const { prefixBits } = network;
  const bytes = network.bytes.map((byte, index) => byte & maskByte(prefixBits, index));
  return { bytes, prefixBits };
}

function contains(network: IpNetwork, bytes: Uint8Array): boolean {
  if (network.bytes.length !== bytes.length) return false;
  const used = Math.ceil(network.prefixBits / 8);
  for (let index = 0; index < used; index++) {
    const difference = (network.bytes[index] ?? 0) ^ (bytes[index] ?? 0);
    if ((difference & maskByte(network.prefixBits, index)) !== 0) return false;
  }
  return true;
}

/** The bits of one byte that belong to the prefix. */
function maskByte(prefixBits: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefixBits - index * 8));
  return (0xff << (8 - bits)) & 0xff;
}

function formatNetwork(network: IpNetwork): string {
  return `${ipText(network.bytes)}/${network.prefixBits}`;
}
