/** Captures the packets of a world, each as its sender puts it on the wire. */

import { PACKAGE_VERSION } from "../../core/version.ts";
import { type Endpoint, isIpv6, NO_DATA, type Packet, type Segment } from "../kernel/packet.ts";

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

/** The beginning of a file. */
export function sectionHeader(application: string): Buffer {
  // Version 1.0, and a length that is not known.
  const body = words(BYTE_ORDER, 1, 0xffffffff, 0xffffffff);
  return block(SECTION_HEADER, body, OPTION.userApplication, application);
}

/** Announces an interface; they are numbered from 0 on. */
export function interfaceDescription(name: string): Buffer {
  return block(INTERFACE_DESCRIPTION, words(LINK_TYPE_RAW, 0), OPTION.interfaceName, name);
}

/** A packet, at a moment in microseconds. */
export function enhancedPacket(interfaceId: number, atUs: number, bytes: Buffer, comment?: string): Buffer {
  const head = words(interfaceId, Math.floor(atUs / 2 ** 32), atUs % 2 ** 32, bytes.length, bytes.length);
  return block(ENHANCED_PACKET, Buffer.concat([head, padded(bytes)]), OPTION.comment, comment);
}

/** A block with at most one option. */
function block(type: number, body: Buffer, code: number, text: string | undefined): Buffer {
  const content = text === undefined ? body : Buffer.concat([body, option(code, text), option(OPTION.end, "")]);
  const head = words(type, content.length + 12);
  return Buffer.concat([head, content, head.subarray(4)]);
}

function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32LE(number, index * 4);
  return bytes;
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
const TCP_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;
/** Simulated windows are larger than 16 bits: they are written with the window scale of RFC 7323, announced in the SYN. */
const WINDOW_SHIFT = 7;
const MOST_16_BITS = 0xffff;
/** What fits beside the header of TCP: 40 bytes of options. */
const MOST_SACKS = 4;

/** Writes a packet. */
export function ipPacket(packet: Packet): Buffer {
  const { from, to } = packet.route;
  if (packet.kind === "tcp") return inIp(PROTOCOL.tcp, from, to, tcpSegment(packet.segment, from, to), 16);
  if (packet.kind === "udp") {
    const header = udpHeader(from, to, UDP_HEADER_BYTES + packet.data.length);
    return inIp(PROTOCOL.udp, from, to, Buffer.concat([header, packet.data]), 6);
  }
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
function udpHeader(from: Endpoint, to: Endpoint, length: number): Buffer {
  const header = Buffer.alloc(UDP_HEADER_BYTES);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt16BE(length, 4);
  return header;
}

/** Destination unreachable (RFC 792, RFC 4443 section 3.1), with the beginning of the packet that it is about. */
function unreachable({ route: { from, to }, about, failure }: Packet & { readonly kind: "refusal" }): Buffer {
  const v6 = isIpv6(to.ip);
  const header = Buffer.alloc(8);
  header[0] = v6 ? 1 : 3;
  const port = failure === "refused";
  header[1] = v6 ? (port ? 4 : 3) : port ? 3 : 1;
  const ports = udpHeader(to, from, about === "udp" ? UDP_HEADER_BYTES : 0);
  return Buffer.concat([header, inIp(PROTOCOL[about], to, from, ports, undefined)]);
}

/** Puts an IP header before a payload, whose checksum stands at `checksumAt`. */
function inIp(protocol: number, from: Endpoint, to: Endpoint, payload: Buffer, checksumAt: number | undefined): Buffer {
  const [source, destination] = [ipBytes(from.ip), ipBytes(to.ip)];
  if (checksumAt !== undefined) {
    // RFC 9293 section 3.1, RFC 8200 section 8.1: the pseudo-header is part of the sum. ICMP of IPv4 has none.
    const pseudo = Buffer.from([0, protocol, payload.length >> 8, payload.length & 0xff]);
    const covered = protocol === PROTOCOL.icmp ? [payload] : [source, destination, pseudo, payload];
    const sum = internetChecksum(Buffer.concat(covered));
    // RFC 768: zero would mean that there is none.
    payload.writeUInt16BE(sum === 0 && protocol === PROTOCOL.udp ? MOST_16_BITS : sum, checksumAt);
  }
  const header = (isIpv6(to.ip) ? ipv6Header : ipv4Header)(protocol, payload, source, destination);
  return Buffer.concat([header, payload]);
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
  const header = Buffer.alloc(40);
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
  const zeros = Array<number>(8 - first.length - last.length).fill(0);
  return Buffer.from([...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]));
}
