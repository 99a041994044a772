/** Reading a PROXY header of version 1: a line of text. */

import { Address } from "../address/address.ts";
import { parseIpv4, parseIpv6 } from "../address/ip.ts";
import { quoted } from "../peer-error.ts";
import { headerWithoutAddresses, type Invalid, NO_DETAILS, type ProxyHeader } from "./header.ts";

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
export function parseV1(bytes: Uint8Array, invalid: Invalid): { header: ProxyHeader; length: number } | undefined {
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
    if (value === undefined) throw invalid(`the ${FIELDS[index]} ${quoted(field)} is not valid for ${protocol}`);
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
