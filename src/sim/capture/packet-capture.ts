/** Captures the packets of a world, each as its sender puts it on the wire. */

import { PACKAGE_VERSION } from "../../core/version.ts";
import { type Endpoint, isIpv6, type Packet } from "../kernel/packet.ts";
import { NO_DATA, type Segment } from "../kernel/segment.ts";

/** Writes a pcapng file while a world runs. */
export class PacketCapture {
  readonly #write: (bytes: Uint8Array) => void;
  /** The number of each host's interface. */
  readonly #interfaces: Map<string, number> = new Map();

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
    write(sectionHeader(`zocalo ${PACKAGE_VERSION}`));
  }

  /** A host sends a packet; `lost` says why it does not arrive. */
  packet(atUs: number, host: string, packet: Packet, lost: string | undefined): void {
    let id = this.#interfaces.get(host);
    if (id === undefined) {
      id = this.#interfaces.size;
      this.#interfaces.set(host, id);
      this.#write(interfaceDescription(host));
    }
    this.#write(enhancedPacket(id, atUs, ipPacket(packet), lost === undefined ? undefined : `lost: ${lost}`));
  }
}

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
/** Packets begin with their IP header: LINKTYPE_RAW. */
const LINK_TYPE_RAW = 101;
const OPTION = { end: 0, comment: 1, interfaceName: 2, userApplication: 4 } as const;
const DRAWS = 0x1_0000_0000;

/** The beginning of a file. */
export function sectionHeader(application: string): Buffer {
  const body = Buffer.alloc(16, 0xff);
  body.writeUInt32LE(BYTE_ORDER, 0);
  body.writeUInt16LE(1, 4);
  body.writeUInt16LE(0, 6);
  return block(SECTION_HEADER, body, option(OPTION.userApplication, application), option(OPTION.end, ""));
}

/** Announces an interface; they are numbered from 0 on. */
export function interfaceDescription(name: string): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINK_TYPE_RAW, 0);
  return block(INTERFACE_DESCRIPTION, body, option(OPTION.interfaceName, name), option(OPTION.end, ""));
}

/** A packet, at a moment in microseconds. */
export function enhancedPacket(interfaceId: number, atUs: number, bytes: Buffer, comment?: string): Buffer {
  const body = Buffer.alloc(20);
  body.writeUInt32LE(interfaceId, 0);
  body.writeUInt32LE(Math.floor(atUs / DRAWS), 4);
  body.writeUInt32LE(atUs % DRAWS, 8);
  body.writeUInt32LE(bytes.length, 12);
  body.writeUInt32LE(bytes.length, 16);
  const options = comment === undefined ? [] : [option(OPTION.comment, comment), option(OPTION.end, "")];
  return block(ENHANCED_PACKET, body, padded(bytes), ...options);
}

function block(type: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 12);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, ...parts, head.subarray(4)]);
}

function option(code: number, text: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(Buffer.byteLength(text), 2);
  return Buffer.concat([head, padded(Buffer.from(text))]);
}

/** Everything begins at a multiple of four. */
function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)]);
}

const PROTOCOL = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 } as const;
const HOPS = 64;
const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;
const TCP_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;
const ICMP_HEADER_BYTES = 8;
/** Simulated windows are larger than 16 bits: they are written with the window scale of RFC 7323, announced in the SYN. */
const WINDOW_SHIFT = 7;
const MOST_16_BITS = 0xffff;
/** What fits beside the header of TCP: 40 bytes of options. */
const MOST_SACKS = 4;

/** Writes a packet. */
export function ipPacket(packet: Packet): Buffer {
  const { from, to } = packet.route;
  if (packet.kind === "tcp") return inIp(PROTOCOL.tcp, from, to, tcpSegment(packet.segment, from, to), 16);
  if (packet.kind === "udp") return inIp(PROTOCOL.udp, from, to, udpDatagram(packet.data, from, to), 6);
  const protocol = isIpv6(to.ip) ? PROTOCOL.icmpv6 : PROTOCOL.icmp;
  return inIp(protocol, from, to, unreachable(packet), 2);
}

/** RFC 9293 section 3.1. */
function tcpSegment(
  { seq, ack, syn, fin, rst, window, data, sacks, mss }: Segment,
  from: Endpoint,
  to: Endpoint,
): Buffer {
  const options = syn ? synOptions(mss) : sackOption(sacks);
  const header = Buffer.alloc(TCP_HEADER_BYTES);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt32BE(seq >>> 0, 4);
  header.writeUInt32BE((ack ?? 0) >>> 0, 8);
  header[12] = ((TCP_HEADER_BYTES + options.length) / 4) << 4;
  header[13] = (fin ? 1 : 0) | (syn ? 2 : 0) | (rst ? 4 : 0) | (data.length > 0 ? 8 : 0) | (ack === undefined ? 0 : 16);
  header.writeUInt16BE(Math.min(MOST_16_BITS, syn ? window : window >>> WINDOW_SHIFT), 14);
  return Buffer.concat([header, options, data]);
}

/** MSS (RFC 9293 section 3.2), SACK permitted (RFC 2018), window scale (RFC 7323). */
function synOptions(mss: number): Buffer {
  return Buffer.from([2, 4, mss >> 8, mss & 0xff, 1, 1, 4, 2, 1, 3, 3, WINDOW_SHIFT]);
}

/** RFC 2018 section 3. */
function sackOption(sacks: Segment["sacks"]): Buffer {
  const blocks = sacks.slice(0, MOST_SACKS);
  if (blocks.length === 0) return NO_DATA;
  const sack = Buffer.alloc(4 + blocks.length * 8, 1);
  sack[2] = 5;
  sack[3] = 2 + blocks.length * 8;
  for (const [index, [begin, end]] of blocks.entries()) {
    sack.writeUInt32BE(begin >>> 0, 4 + index * 8);
    sack.writeUInt32BE(end >>> 0, 8 + index * 8);
  }
  return sack;
}

/** RFC 768. */
function udpDatagram(data: Buffer, from: Endpoint, to: Endpoint): Buffer {
  const header = Buffer.alloc(UDP_HEADER_BYTES);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt16BE(UDP_HEADER_BYTES + data.length, 4);
  return Buffer.concat([header, data]);
}

/** Destination unreachable (RFC 792, RFC 4443 section 3.1), with the beginning of the packet that it is about. */
function unreachable({ route: { from, to }, about, failure }: Packet & { readonly kind: "refusal" }): Buffer {
  const v6 = isIpv6(to.ip);
  const header = Buffer.alloc(ICMP_HEADER_BYTES);
  header[0] = v6 ? 1 : 3;
  const port = failure === "refused";
  header[1] = v6 ? (port ? 4 : 3) : port ? 3 : 1;
  const ports = Buffer.alloc(UDP_HEADER_BYTES);
  ports.writeUInt16BE(to.port, 0);
  ports.writeUInt16BE(from.port, 2);
  if (about === "udp") ports.writeUInt16BE(UDP_HEADER_BYTES, 4);
  return Buffer.concat([header, inIp(PROTOCOL[about], to, from, ports, undefined)]);
}

/** Puts an IP header before a payload, whose checksum stands at `checksumAt`. */
function inIp(protocol: number, from: Endpoint, to: Endpoint, payload: Buffer, checksumAt: number | undefined): Buffer {
  const v6 = isIpv6(to.ip);
  const [source, destination] = [ipBytes(from.ip), ipBytes(to.ip)];
  if (checksumAt !== undefined) {
    // RFC 9293 section 3.1, RFC 8200 section 8.1: the pseudo-header is part of the sum. ICMP of IPv4 has none.
    const pseudo = Buffer.from([0, protocol, payload.length >> 8, payload.length & 0xff]);
    const covered = protocol === PROTOCOL.icmp ? [payload] : [source, destination, pseudo, payload];
    const sum = internetChecksum(Buffer.concat(covered));
    // RFC 768: zero would mean that there is none.
    payload.writeUInt16BE(sum === 0 && protocol === PROTOCOL.udp ? MOST_16_BITS : sum, checksumAt);
  }
  return Buffer.concat([
    v6 ? ipv6Header(protocol, payload, source, destination) : ipv4Header(protocol, payload, source, destination),
    payload,
  ]);
}

/** RFC 791 section 3.1. */
function ipv4Header(protocol: number, payload: Buffer, source: Buffer, destination: Buffer): Buffer {
  const header = Buffer.alloc(IPV4_HEADER_BYTES);
  header[0] = 0x45;
  header.writeUInt16BE(Math.min(MOST_16_BITS, IPV4_HEADER_BYTES + payload.length), 2);
  header[8] = HOPS;
  header[9] = protocol;
  source.copy(header, 12);
  destination.copy(header, 16);
  header.writeUInt16BE(internetChecksum(header), 10);
  return header;
}

/** RFC 8200 section 3. */
function ipv6Header(protocol: number, payload: Buffer, source: Buffer, destination: Buffer): Buffer {
  const header = Buffer.alloc(IPV6_HEADER_BYTES);
  header[0] = 0x60;
  header.writeUInt16BE(Math.min(MOST_16_BITS, payload.length), 4);
  header[6] = protocol;
  header[7] = HOPS;
  source.copy(header, 8);
  destination.copy(header, 24);
  return header;
}

/** RFC 1071. */
function internetChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let index = 0; index + 1 < bytes.length; index += 2) sum += bytes.readUInt16BE(index);
  if (bytes.length % 2 === 1) sum += (bytes[bytes.length - 1] as number) << 8;
  while (sum > MOST_16_BITS) sum = (sum & MOST_16_BITS) + Math.floor(sum / 0x1_0000);
  return ~sum & MOST_16_BITS;
}

/** The bytes of an IP address in canonical form. */
function ipBytes(ip: string): Buffer {
  if (!isIpv6(ip)) return Buffer.from(ip.split(".").map(Number));
  const [head = "", tail] = ip.split("::");
  const groups = (text: string | undefined): number[] =>
    text === undefined || text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of first.entries()) bytes.writeUInt16BE(group, index * 2);
  for (const [index, group] of last.entries()) bytes.writeUInt16BE(group, 16 - (last.length - index) * 2);
  return bytes;
}
