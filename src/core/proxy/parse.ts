/**
 * Reading a PROXY header of either version from the first bytes of a connection.
 */

import { Address } from "../address/address.ts";
import { ipText } from "../address/ip.ts";
import { ProtocolError } from "../errors.ts";
import { checkOptions, countFrom, optionInvalid, type RulesOf, TEXT } from "../options/check-options.ts";
import {
  ADDRESS_BYTES,
  FIXED_BYTES,
  headerWithoutAddresses,
  type Invalid,
  type ProxyHeader,
  SIGNATURE,
  UNIX_PATH_BYTES,
} from "./header.ts";
import { parseV1 } from "./parse-v1.ts";
import { decodeTlvs, decodeUtf8, splitTlvs, verifyChecksum } from "./tlv.ts";

const OP = "parseProxyHeader";
const RULES: RulesOf<ProxyParseOptions> = {
  maxBytes: countFrom(FIXED_BYTES),
  op: TEXT,
  remote: TEXT,
};

/** The longest version 2 header that is taken by default, in bytes; usual ones, with TLVs, have some hundred. */
const DEFAULT_MAX_PROXY_HEADER_BYTES = 4096;

/** Options of {@link parseProxyHeader}. */
export interface ProxyParseOptions {
  /**
   * The longest version 2 header that is taken, in bytes, its 16 fixed bytes included; default 4,096. A longer one is
   * refused as soon as its length is read. A version 1 line has at most 107 bytes by the specification.
   */
  readonly maxBytes?: number | undefined;
  /** The operation that an error names; default `accept`. */
  readonly op?: string | undefined;
  /** The address of the proxy, for errors. */
  readonly remote?: string | undefined;
}

/** A header, and how many bytes it takes; what follows is the client's. */
export interface ParsedProxyHeader {
  /** What it says. */
  readonly header: ProxyHeader;
  /** In bytes, from the first one of the connection. */
  readonly length: number;
}

/**
 * Reads the PROXY header with which the bytes of a connection must begin.
 *
 * Give it all the bytes that came so far. It answers `undefined` when they are right so far and more are needed, and
 * throws at the first byte that cannot be part of a header, however the bytes are cut. (The part of a version 2 header
 * after its 16 fixed bytes is checked when it is complete; `maxBytes` bounds it.) It looks at no byte after the header.
 *
 * Servers that are told of their proxies with `proxyProtocol` do this by themselves. Call it where the bytes come in another
 * way, for connections from trusted proxies only, and then always: a header that anyone may send lets anyone choose an
 * address.
 *
 * @example
 * ```ts
 * import { parseProxyHeader } from "zocalo";
 * const bytes = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 4000 443\r\nGET / HTTP/1.1\r\n");
 * const found = parseProxyHeader(bytes);
 * console.log(String(found?.header.source), String(bytes.subarray(found?.length)).trim()); // tcp://192.0.2.1:4000 GET / HTTP/1.1
 * ```
 *
 * @see https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 *
 * @throws ProtocolError `PROXY_HEADER_INVALID`: the detail says what is wrong; close the connection. UsageError
 *   `OPTION_INVALID`: these are no bytes, or an option is not valid.
 */
export function parseProxyHeader(bytes: Uint8Array, options: ProxyParseOptions = {}): ParsedProxyHeader | undefined {
  const { maxBytes = DEFAULT_MAX_PROXY_HEADER_BYTES, op = "accept", remote } = checkOptions({ op: OP }, options, RULES);
  if (!(bytes instanceof Uint8Array)) throw optionInvalid({ op: OP }, "bytes must be a Uint8Array");
  const invalid = (problem: string): ProtocolError => {
    const detail = `the peer did not send a valid PROXY protocol header: ${problem}`;
    return new ProtocolError("PROXY_HEADER_INVALID", { op, detail, remote });
  };
  const first = bytes[0];
  if (first === undefined) return undefined;
  if (first === 0x50) return parseV1(bytes, invalid);
  if (first === 0x0d) return parseV2(bytes, maxBytes, invalid);
  throw invalid(`it begins with byte 0x${first.toString(16).padStart(2, "0")}, as neither version does`);
}

/** The 13th and 14th byte. `family` 0 says that there are no addresses. */
interface Kind {
  readonly command: "proxy" | "local";
  readonly family: 0 | 1 | 2 | 3;
  readonly datagram: boolean;
}

/**
 * Reads a version 2 header; undefined means that it is right so far and not complete. The fixed bytes are checked one by
 * one as they come; the rest, which `maxBytes` bounds, once it is complete, so that the work stays linear.
 */
function parseV2(bytes: Uint8Array, maxBytes: number, invalid: Invalid): ParsedProxyHeader | undefined {
  const signed = Math.min(bytes.length, SIGNATURE.length);
  for (let at = 0; at < signed; at++) {
    if (bytes[at] !== SIGNATURE[at]) throw invalid(`byte ${at + 1} is not that of the version 2 signature`);
  }
  const kind = parseKind(bytes, invalid);
  const high = bytes[14];
  if (kind === undefined || high === undefined) return undefined;
  if (FIXED_BYTES + (high << 8) > maxBytes) throw invalid(`it is longer than ${maxBytes} bytes`);
  const low = bytes[15];
  if (low === undefined) return undefined;
  const length = FIXED_BYTES + (high << 8) + low;
  if (length > maxBytes) throw invalid(`it is ${length} bytes long, more than ${maxBytes}`);
  const addressBytes = kind.family === 0 ? 0 : ADDRESS_BYTES[kind.family];
  if (length < FIXED_BYTES + addressBytes) {
    throw invalid(`its length leaves ${length - FIXED_BYTES} bytes for addresses that take ${addressBytes}`);
  }
  if (bytes.length < length) return undefined;
  return { header: parseBody(kind, bytes.subarray(0, length), invalid), length };
}

/** Checks the two bytes after the signature; undefined while they are not there. */
function parseKind(bytes: Uint8Array, invalid: Invalid): Kind | undefined {
  const versionAndCommand = bytes[12];
  if (versionAndCommand === undefined) return undefined;
  if (versionAndCommand >> 4 !== 2) throw invalid(`its version is ${versionAndCommand >> 4} instead of 2`);
  const command = versionAndCommand & 0x0f;
  if (command > 1) throw invalid(`its command is ${command}; only 0 (LOCAL) and 1 (PROXY) are known`);
  const familyAndProtocol = bytes[13];
  if (familyAndProtocol === undefined) return undefined;
  // LOCAL: the rest, including the family, is to be ignored.
  if (command === 0) return { command: "local", family: 0, datagram: false };
  const family = familyAndProtocol >> 4;
  const protocol = familyAndProtocol & 0x0f;
  if (family !== 0 && family !== 1 && family !== 2 && family !== 3)
    throw invalid(`its address family ${family} is unknown`);
  if (protocol > 2) throw invalid(`its transport protocol ${protocol} is unknown`);
  // UNSPEC in either half: the receiver ignores the addresses, whatever they are.
  return { command: "proxy", family: protocol === 0 ? 0 : family, datagram: protocol === 2 };
}

/** Without addresses it cannot be known where TLVs would begin, so what follows the fixed bytes is skipped. */
function parseBody(kind: Kind, bytes: Uint8Array, invalid: Invalid): ProxyHeader {
  const { command, family } = kind;
  if (family === 0) return headerWithoutAddresses(2, command);
  const tlvsAt = FIXED_BYTES + ADDRESS_BYTES[family];
  const block = bytes.subarray(FIXED_BYTES, tlvsAt);
  const tlvs = splitTlvs(bytes.subarray(tlvsAt), invalid);
  const details = decodeTlvs(tlvs, invalid);
  verifyChecksum(bytes, tlvsAt, tlvs, invalid);
  const [source, destination] = family === 3 ? unixAddresses(block, invalid) : ipAddresses(block, kind.datagram);
  return { version: 2, command, source, destination, ...details, tlvs };
}

/** Source address, destination address, source port, destination port. */
function ipAddresses(block: Uint8Array, datagram: boolean): [Address, Address] {
  const transport = datagram ? "udp" : "tcp";
  const width = (block.length - 4) / 2;
  const port = (at: number): number => ((block[at] ?? 0) << 8) | (block[at + 1] ?? 0);
  return [
    Address.fromIp(transport, ipText(block.subarray(0, width)), port(2 * width)),
    Address.fromIp(transport, ipText(block.subarray(width, 2 * width)), port(2 * width + 2)),
  ];
}

function unixAddresses(block: Uint8Array, invalid: Invalid): [Address | undefined, Address | undefined] {
  return [
    unixAddress(block.subarray(0, UNIX_PATH_BYTES), "source", invalid),
    unixAddress(block.subarray(UNIX_PATH_BYTES), "destination", invalid),
  ];
}

/** A path ends at its first zero byte, an abstract name at its last other byte; all zeros are a socket without name. */
function unixAddress(field: Uint8Array, which: string, invalid: Invalid): Address | undefined {
  const abstract = field[0] === 0;
  const end = abstract ? field.findLastIndex((byte) => byte !== 0) + 1 : field.indexOf(0);
  if (end === 0) return undefined;
  if (end === -1) throw invalid(`the path of the ${which} has no zero byte at its end`);
  const path = decodeUtf8(field.subarray(0, end), `the path of the ${which}`, invalid);
  if (path.indexOf("\0", 1) !== -1) throw invalid(`the abstract name of the ${which} has a zero byte`);
  return Address.fromPath(path);
}
