/** The IP addresses under which the two ends of a connection stand in a capture. */

import type { Address } from "../core/address/address.ts";
import type { Endpoint } from "../core/capture/ip-packet.ts";

/** The two ends of what is captured. */
export interface CaptureEnds {
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** Says which of them are made up. */
  readonly comment: string | undefined;
}

/** Addresses for documentation (RFC 5737, RFC 3849): no packet of a network has them. */
const MADE_UP = {
  client: { 4: "192.0.2.1", 6: "2001:db8::1" },
  server: { 4: "192.0.2.2", 6: "2001:db8::2" },
} as const;
const LOOPBACK = { 4: "127.0.0.1", 6: "::1" } as const;
/** Ports of made-up clients: none is the same again soon. */
const FIRST_PORT = 1024;
const PORTS = 64_512;

/** What stands for Unix sockets and for names is made up. An IPv4 address beside an IPv6 one is written as a mapped one. */
export function endsOf(client: Address, upstream: Address, number: number): CaptureEnds {
  const family = client.family === 6 || upstream.family === 6 ? 6 : 4;
  const clientPort = client.transport === "unix" ? FIRST_PORT + (number % PORTS) : client.port;
  const serverPort = upstream.transport === "unix" ? 1 : upstream.port;
  const ends = {
    client: { ip: ipOf(client, "client", family), port: clientPort },
    server: { ip: ipOf(upstream, "server", family), port: serverPort },
  };
  const made = [
    client.isIp ? "" : `the client of a Unix socket is ${ends.client.ip} here`,
    upstream.isIp ? "" : `${String(upstream)} is ${ends.server.ip} here`,
  ].filter((text) => text !== "");
  return { ...ends, comment: made.length === 0 ? undefined : made.join("; ") };
}

function ipOf(address: Address, role: "client" | "server", family: 4 | 6): string {
  if (!address.isIp) return address.isLoopback ? LOOPBACK[family] : MADE_UP[role][family];
  return address.family === family ? address.host : mapped(address.host);
}

/** RFC 4291 section 2.5.5.2. */
function mapped(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  return `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
