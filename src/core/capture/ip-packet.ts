/** Packets as their sender puts them on the wire, for captures. */

/** An IP address in canonical form, and a port. */
export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** What a segment of TCP says. Numbers do not wrap: their lower 32 bits are written. */
export interface IpSegment {
  readonly seq: number;
  /** Undefined without ACK. */
  readonly ack: number | undefined;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  /** In bytes; scaled unless it is that of a SYN. */
  readonly window: number;
  readonly data: Buffer;
  /** Stretches that arrived out of order, their ends excluded (RFC 2018). */
  readonly sacks: readonly (readonly [from: number, to: number])[];
  /** With SYN: the largest payload that the sender takes. */
  readonly mss: number;
}

/** A packet; `refusal` is an ICMP message about a packet that went the other way. */
export type IpPacket = { readonly route: { readonly from: Endpoint; readonly to: Endpoint } } & (
  | { readonly kind: "tcp"; readonly segment: IpSegment }
  | { readonly kind: "udp"; readonly data: Buffer }
  | { readonly kind: "refusal"; readonly about: "tcp" | "udp"; readonly failure: string }
);

const NO_OPTIONS: Buffer = Buffer.alloc(0);
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
export function ipPacket(packet: IpPacket): Buffer {
  const { from, to } = packet.route;
  if (packet.kind === "tcp") return inIp(PROTOCOL.tcp, from, to, tcpSegment(packet.segment, from, to), 16);
  if (packet.kind === "udp") {
    const header = udpHeader(from, to, UDP_HEADER_BYTES + packet.data.length);
    return inIp(PROTOCOL.udp, from, to, Buffer.concat([header, packet.data]), 6);
  }
  const protocol = isIpv6(to.ip) ? PROTOCOL.icmpv6 : PROTOCOL.icmp;
  return inIp(protocol, from, to, unreachable(packet), 2);
}

/** Numbers of 16 bits in the order of the network, two of which are a line of the drawings in the RFCs. */
function shorts(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 2);
  for (const [index, number] of numbers.entries()) bytes.writeUInt16BE(number & MOST_16_BITS, index * 2);
  return bytes;
}

/** A number of 32 bits. */
function halves(number: number): readonly [high: number, low: number] {
  return [number >>> 16, number];
}

/** RFC 9293 section 3.1. */
function tcpSegment(segment: IpSegment, from: Endpoint, to: Endpoint): Buffer {
  const { seq, ack, syn, fin, rst, window, data } = segment;
  const options = syn ? synOptions(segment.mss) : sackOption(segment.sacks);
  const offset = (TCP_HEADER_BYTES + options.length) / 4;
  const flags =
    (fin ? 1 : 0) | (syn ? 2 : 0) | (rst ? 4 : 0) | (data.length > 0 ? 8 : 0) | (ack === undefined ? 0 : 16);
  const room = Math.min(MOST_16_BITS, syn ? window : window >>> WINDOW_SHIFT);
  const ports = [from.port, to.port];
  return Buffer.concat([
    shorts(...ports, ...halves(seq), ...halves(ack ?? 0), (offset << 12) | flags, room, 0, 0),
    options,
    data,
  ]);
}

/** MSS (RFC 9293 section 3.2), SACK permitted (RFC 2018), window scale (RFC 7323). */
function synOptions(mss: number): Buffer {
  return Buffer.from([2, 4, mss >> 8, mss & 0xff, 1, 1, 4, 2, 1, 3, 3, WINDOW_SHIFT]);
}

/** RFC 2018 section 3, behind two bytes that say nothing. */
function sackOption(sacks: IpSegment["sacks"]): Buffer {
  const edges = sacks.slice(0, MOST_SACKS).flat();
  return edges.length === 0 ? NO_OPTIONS : shorts(0x0101, 0x0502 + edges.length * 4, ...edges.flatMap(halves));
}

/** RFC 768. */
function udpHeader(from: Endpoint, to: Endpoint, length: number): Buffer {
  return shorts(from.port, to.port, length, 0);
}

/** Destination unreachable (RFC 792, RFC 4443 section 3.1), with the beginning of the packet that it is about. */
function unreachable({ route: { from, to }, about, failure }: IpPacket & { readonly kind: "refusal" }): Buffer {
  const v6 = isIpv6(to.ip);
  const port = failure === "refused";
  const typeAndCode = v6 ? (port ? 0x0104 : 0x0103) : port ? 0x0303 : 0x0301;
  const ports = udpHeader(to, from, about === "udp" ? UDP_HEADER_BYTES : 0);
  return Buffer.concat([shorts(typeAndCode, 0, 0, 0), inIp(PROTOCOL[about], to, from, ports, undefined)]);
}

/** Puts an IP header before a payload, whose checksum stands at `checksumAt`. */
function inIp(protocol: number, from: Endpoint, to: Endpoint, payload: Buffer, checksumAt: number | undefined): Buffer {
  const [source, destination] = [ipBytes(from.ip), ipBytes(to.ip)];
  if (checksumAt !== undefined) {
    // RFC 9293 section 3.1, RFC 8200 section 8.1: the pseudo-header is part of the sum. ICMP of IPv4 has none.
    const pseudo = shorts(protocol, payload.length);
    const covered = protocol === PROTOCOL.icmp ? [payload] : [source, destination, pseudo, payload];
    const sum = internetChecksum(Buffer.concat(covered));
    // RFC 768: zero would mean that there is none.
    payload.writeUInt16BE(sum === 0 && protocol === PROTOCOL.udp ? MOST_16_BITS : sum, checksumAt);
  }
  const header = (isIpv6(to.ip) ? ipv6Header : ipv4Header)(protocol, payload.length);
  const packet = Buffer.concat([header, source, destination, payload]);
  if (!isIpv6(to.ip)) packet.writeUInt16BE(internetChecksum(packet.subarray(0, IPV4_HEADER_BYTES)), 10);
  return packet;
}

/** RFC 791 section 3.1, up to the addresses. */
function ipv4Header(protocol: number, payloadBytes: number): Buffer {
  const bytes = Math.min(MOST_16_BITS, IPV4_HEADER_BYTES + payloadBytes);
  return shorts(0x4500, bytes, 0, 0, (HOPS << 8) | protocol, 0);
}

/** RFC 8200 section 3, up to the addresses. */
function ipv6Header(protocol: number, payloadBytes: number): Buffer {
  return shorts(0x6000, 0, Math.min(MOST_16_BITS, payloadBytes), (protocol << 8) | HOPS);
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
  return shorts(...first, ...zeros, ...last);
}

function isIpv6(ip: string): boolean {
  return ip.includes(":");
}
