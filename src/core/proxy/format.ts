/**
 * Writing a PROXY header, for a program that is itself the proxy.
 */

import { Address } from "../address/address.ts";
import { ipBytes } from "../address/ip.ts";
import {
  ANYTHING,
  checkOptions,
  listOf,
  oneOf,
  optionInvalid,
  type OptionRule,
  type RulesOf,
} from "../options/check-options.ts";
import {
  ADDRESS_BYTES,
  FIXED_BYTES,
  type ProxyHeader,
  type ProxyTlv,
  proxyTlvTypes,
  SIGNATURE,
  UNIX_PATH_BYTES,
} from "./header.ts";
import { checksumOffset, crc32c } from "./tlv.ts";

/** What {@link formatProxyHeader} writes; a `ProxyHeader` that was received is one too. */
export interface ProxyHeaderInit {
  /** 1 (text) or 2 (binary; needed for UDP, Unix and TLVs). */
  readonly version: 1 | 2;
  /** `proxy`: for a client. `local`: the proxy's own connection; addresses and TLVs are left out. Default `proxy`. */
  readonly command?: "proxy" | "local" | undefined;
  /** The client. */
  readonly source?: Address | undefined;
  /** The address that the client connected to. */
  readonly destination?: Address | undefined;
  /** Version 2: TLVs to append. A CRC32C is computed here: give it any value, or none at all. Default: none. */
  readonly tlvs?: readonly ProxyTlv[] | undefined;
}

const END: OptionRule = { wanted: "of the class Address", holds: (value) => value instanceof Address };

/** What a header must look like. One that was received tells its TLVs once more, in words; these are passed over. */
const RULES: RulesOf<ProxyHeader> = {
  version: { wanted: "1 or 2", holds: (value) => value === 1 || value === 2, required: true },
  command: oneOf("proxy", "local"),
  source: END,
  destination: END,
  tlvs: listOf("TLVs, each with a type and a value of bytes", isTlv),
  alpn: ANYTHING,
  authority: ANYTHING,
  networkNamespace: ANYTHING,
  ssl: ANYTHING,
  uniqueId: ANYTHING,
};

function isTlv(value: unknown): boolean {
  const { type, value: bytes } = (value ?? {}) as Partial<ProxyTlv>;
  return typeof type === "number" && bytes instanceof Uint8Array;
}

/** Two addresses of one kind, ready to be written; "none" for LOCAL, UNKNOWN and UNSPEC. */
type Ends =
  | { readonly kind: "none" }
  | { readonly kind: "unix"; readonly source: string; readonly destination: string }
  | { readonly kind: "ip"; readonly source: Address; readonly destination: Address };

const CALL = { op: "formatProxyHeader" };

/** The first bytes of an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2). */
const MAPPED_PREFIX: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Version 2: the 16-bit length counts what follows the fixed bytes. */
const MAX_LENGTH = 0xffff;

/**
 * Writes a PROXY header. It must be the first bytes of the connection, sent in one write.
 *
 * IPv4-mapped IPv6 addresses are written as IPv4. When one address is IPv4 and the other IPv6, both are written as IPv6.
 * Without any address, version 1 says `UNKNOWN` and version 2 `UNSPEC`; version 1 also says `UNKNOWN` for what is not
 * TCP, and leaves TLVs out.
 *
 * @example
 * ```ts
 * import { connect, formatProxyHeader, relay, serve } from "zocalo";
 * await using backend = await serve("tcp://127.0.0.1:0", async (peer) => await peer.write(peer.remoteAddress.hostPort), {
 *   proxyProtocol: { from: ["127.0.0.1"] },
 * });
 * await using proxy = await serve("tcp://127.0.0.1:0", async (client) => {
 *   const upstream = await connect(backend.localAddress);
 *   const { remoteAddress: source, localAddress: destination } = client;
 *   await upstream.write(formatProxyHeader({ version: 2, source, destination }));
 *   await relay(client, upstream);
 * });
 * await using call = await connect(proxy.localAddress);
 * console.log(String(await call.read()) === call.localAddress.hostPort); // true
 * ```
 *
 * @see https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 *
 * @throws UsageError `OPTION_INVALID`: there is no such version, only one of the two IP addresses is given, or one of them is a host name, or
 *   they are of different kinds, or there are TLVs without addresses, or they are too long.
 */
export function formatProxyHeader(header: ProxyHeaderInit): Uint8Array {
  const { version, command = "proxy", tlvs = [], ...addresses } = checkOptions(CALL, header ?? null, RULES);
  const ends = command === "local" ? NO_ENDS : endsOf(addresses);
  return version === 1 ? formatV1(ends) : formatV2(command, ends, tlvs);
}

const NO_ENDS: Ends = { kind: "none" };

function endsOf({ source, destination }: Pick<ProxyHeaderInit, "source" | "destination">): Ends {
  if (source === undefined && destination === undefined) return NO_ENDS;
  const given = [source, destination].filter((address) => address !== undefined);
  if (given.every((address) => address.transport === "unix")) {
    return { kind: "unix", source: source?.path ?? "", destination: destination?.path ?? "" };
  }
  if (source === undefined || destination === undefined)
    throw optionInvalid(CALL, "source and destination must be given together");
  if (!source.isIp || !destination.isIp)
    throw optionInvalid(CALL, "source and destination must be two IP addresses or two paths");
  if ((source.transport === "udp") !== (destination.transport === "udp")) {
    throw optionInvalid(CALL, "source and destination must both be UDP or both not");
  }
  return { kind: "ip", source: source.unmapped(), destination: destination.unmapped() };
}

function formatV1(ends: Ends): Uint8Array {
  if (ends.kind !== "ip" || ends.source.transport === "udp") return Buffer.from("PROXY UNKNOWN\r\n");
  const { source, destination } = ends;
  const ipv4 = source.family === 4 && destination.family === 4;
  const host = (address: Address): string => (ipv4 || address.family === 6 ? address.host : `::ffff:${address.host}`);
  const fields = [ipv4 ? "TCP4" : "TCP6", host(source), host(destination), source.port, destination.port];
  return Buffer.from(`PROXY ${fields.join(" ")}\r\n`);
}

function formatV2(command: "proxy" | "local", ends: Ends, tlvs: readonly ProxyTlv[]): Uint8Array {
  if (ends.kind === "none") {
    if (command === "proxy" && tlvs.length > 0) throw optionInvalid(CALL, "TLVs need a source and a destination");
    return Buffer.concat(
      [SIGNATURE, [command === "local" ? 0x20 : 0x21, 0, 0, 0]].map((part) => Uint8Array.from(part)),
    );
  }
  const block = addressBlock(ends);
  const body = Buffer.concat([block.bytes, ...tlvs.map(formatTlv)]);
  if (body.length > MAX_LENGTH)
    throw optionInvalid(CALL, `the TLVs make the header longer than ${FIXED_BYTES + MAX_LENGTH} bytes`);
  const fixed = Uint8Array.of(...SIGNATURE, 0x21, block.familyAndProtocol, body.length >> 8, body.length & 0xff);
  const header = Buffer.concat([fixed, body]);
  const checksumAt = checksumOffset(tlvs);
  if (checksumAt !== undefined) header.writeUInt32BE(crc32c(header), FIXED_BYTES + block.bytes.length + checksumAt);
  return header;
}

function addressBlock(ends: Exclude<Ends, { kind: "none" }>): { familyAndProtocol: number; bytes: Buffer } {
  if (ends.kind === "unix") {
    const bytes = Buffer.alloc(ADDRESS_BYTES[3]);
    bytes.write(ends.source, 0, UNIX_PATH_BYTES, "utf8");
    bytes.write(ends.destination, UNIX_PATH_BYTES, UNIX_PATH_BYTES, "utf8");
    return { familyAndProtocol: 0x31, bytes };
  }
  const { source, destination } = ends;
  const ipv4 = source.family === 4 && destination.family === 4;
  const ports = Uint8Array.of(source.port >> 8, source.port & 0xff, destination.port >> 8, destination.port & 0xff);
  return {
    familyAndProtocol: (ipv4 ? 0x10 : 0x20) | (source.transport === "udp" ? 2 : 1),
    bytes: Buffer.concat([hostBytes(source, ipv4), hostBytes(destination, ipv4), ports]),
  };
}

function hostBytes(address: Address, ipv4: boolean): Uint8Array {
  const bytes = ipBytes(address.host);
  return ipv4 || bytes.length === 16 ? bytes : Uint8Array.of(...MAPPED_PREFIX, ...bytes);
}

function formatTlv({ type, value }: ProxyTlv): Uint8Array {
  if (!Number.isInteger(type) || type < 0 || type > 0xff)
    throw optionInvalid(CALL, `the TLV type ${type} is not 0 to 255`);
  // The bytes of the checksum are zeros while it is computed (section 2.2.3).
  const bytes = type === proxyTlvTypes.crc32c ? new Uint8Array(4) : value;
  if (bytes.length > MAX_LENGTH)
    throw optionInvalid(CALL, `the value of TLV 0x${type.toString(16)} has more than ${MAX_LENGTH} bytes`);
  return Buffer.concat([Uint8Array.of(type, bytes.length >> 8, bytes.length & 0xff), bytes]);
}
