/**
 * Reading a PROXY header of either version from the first bytes of a connection.
 */

import { Address } from "../address/address.ts";
import { ipText, parseIpv4, parseIpv6 } from "../address/ip.ts";
import { ProtocolError, UsageError } from "../errors.ts";
import { checkOptions, countFrom, type RulesOf, TEXT } from "../options/check-options.ts";
import {
  ADDRESS_BYTES,
  FIXED_BYTES,
  headerWithoutAddresses,
  type Invalid,
  NO_DETAILS,
  type ProxyHeader,
  SIGNATURE,
  UNIX_PATH_BYTES,
} from "./header.ts";
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
  if (!(bytes instanceof Uint8Array)) {
    throw new UsageError("OPTION_INVALID", { op: OP, detail: "bytes must be a Uint8Array" });
  }
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

/** Section 2.1: the longest line, CRLF included, in bytes. */
const MAX_LINE_BYTES = 107;

const KEYWORD = "PROXY ";
const PROTOCOLS = ["TCP4", "TCP6", "UNKNOWN"];
const FIELDS = ["source address", "destination address", "source port", "destination port"];

/** A decimal number from 0 to 255 without leading zeros; every beginning of one is one. */
const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const IPV4_SO_FAR = new RegExp(`^(?:${OCTET}\\.){0,3}(?:${OCTET})?$`);

/** Group texts before a `::`, and after it. */
const GROUPS_SO_FAR = /^(?:[0-9a-f]{1,4}:){0,7}(?:[0-9a-f]{1,4})?$/i;

/** C libraries write IPv4-mapped and IPv4-compatible addresses with a dotted tail; no other address has one here. */
const DOTTED_SO_FAR = new RegExp(`^::(?:ffff:)?(?:${OCTET}\\.){1,3}(?:${OCTET})?$`, "i");

/** A decimal number from 0 to 65535 without leading zeros; every beginning of one is one. */
const PORT = /^(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}|0)$/;

/** Reads a version 1 line; undefined means that it is right so far and not complete. Looks at 107 bytes at most. */
function parseV1(bytes: Uint8Array, invalid: Invalid): { header: ProxyHeader; length: number } | undefined {
  const text = Buffer.from(bytes.subarray(0, MAX_LINE_BYTES)).toString("latin1");
  const end = text.search(/[\r\n]/);
  const line = end === -1 ? text : text.slice(0, end);
  const header = parseLine(line, end !== -1, invalid);
  if (line.length > MAX_LINE_BYTES - 2) throw invalid(`the line has more than ${MAX_LINE_BYTES} bytes`);
  if (end === -1) return undefined;
  const lineEnd = text.slice(end, end + 2);
  if (!"\r\n".startsWith(lineEnd)) throw invalid("the line must end with CR and LF, not with one of them");
  return header !== undefined && lineEnd === "\r\n" ? { header, length: end + 2 } : undefined;
}

/** Checks a line without its end. `ended` says that no more bytes of it will come. */
function parseLine(line: string, ended: boolean, invalid: Invalid): ProxyHeader | undefined {
  const keyword = line.slice(0, KEYWORD.length);
  if (ended ? keyword !== KEYWORD : !KEYWORD.startsWith(keyword)) throw invalid('the line must begin with "PROXY "');
  if (line.length < KEYWORD.length) return undefined;
  const [protocol = "", ...fields] = line.slice(KEYWORD.length).split(" ");
  const whole = ended || fields.length > 0;
  if (whole ? !PROTOCOLS.includes(protocol) : !PROTOCOLS.some((name) => name.startsWith(protocol))) {
    throw invalid(`the protocol must be ${PROTOCOLS.join(", ")}`);
  }
  if (protocol === "UNKNOWN") return ended ? headerWithoutAddresses(1, "local") : undefined;
  return parseFields(protocol, fields, ended, invalid);
}

function parseFields(protocol: string, fields: string[], ended: boolean, invalid: Invalid): ProxyHeader | undefined {
  if (fields.length > FIELDS.length) throw invalid("there is a space after the destination port");
  const values = fields.map((field, index) => {
    const whole = ended || index < fields.length - 1;
    const value = index < 2 ? addressField(protocol, field, whole) : portField(field, whole);
    if (value === undefined)
      throw invalid(`the ${FIELDS[index]} ${JSON.stringify(field)} is not valid for ${protocol}`);
    return value;
  });
  if (!ended) return undefined;
  const [source, destination, sourcePort, destinationPort] = values;
  if (source === undefined || destination === undefined || sourcePort === undefined || destinationPort === undefined) {
    throw invalid(`the line ends before the ${FIELDS[values.length]}`);
  }
  return {
    version: 1,
    command: "proxy",
    source: Address.fromIp("tcp", source, Number(sourcePort)),
    destination: Address.fromIp("tcp", destination, Number(destinationPort)),
    tlvs: [],
    ...NO_DETAILS,
  };
}

/** The canonical text of a whole address, or any text for a beginning of one; undefined when it is neither. */
function addressField(protocol: string, field: string, whole: boolean): string | undefined {
  if (protocol === "TCP4") return whole ? parseIpv4(field) : IPV4_SO_FAR.test(field) ? field : undefined;
  if (!isIpv6SoFar(field)) return undefined;
  return whole ? parseIpv6(field) : field;
}

function portField(field: string, whole: boolean): string | undefined {
  return PORT.test(field) || (!whole && field === "") ? field : undefined;
}

/** True when the text is an IPv6 address, or more characters can make it one. */
export function isIpv6SoFar(text: string): boolean {
  const double = text.indexOf("::");
  if (double === -1) return text === ":" || GROUPS_SO_FAR.test(text);
  if (text.includes(".")) return DOTTED_SO_FAR.test(text);
  const left = text.slice(0, double);
  const right = text.slice(double + 2);
  if (left.endsWith(":") || !GROUPS_SO_FAR.test(left) || !GROUPS_SO_FAR.test(right)) return false;
  // The double colon stands for at least one of the eight groups; a colon at the end asks for one more.
  return countGroups(left) + countGroups(right) <= 7;
}

function countGroups(text: string): number {
  return text === "" ? 0 : text.split(":").length;
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
function parseV2(
  bytes: Uint8Array,
  maxBytes: number,
  invalid: Invalid,
): { header: ProxyHeader; length: number } | undefined {
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
