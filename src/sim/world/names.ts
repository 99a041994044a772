/** The addresses and names of simulated hosts: only those for documentation, so that none is ever a real machine's. */

import type { ErrorCode } from "../../core/errors.ts";

/** TEST-NET-1 to 3 (RFC 5737) and 2001:db8::/32 (RFC 3849). */
const NETWORKS = ["192.0.2.", "198.51.100.", "203.0.113."] as const;
const IPV6_NETWORK = "2001:db8:";
const HOSTS_A_NETWORK = 254;

/** Whether an IP address in canonical form is one for documentation. */
export function isDocumentationIp(ip: string): boolean {
  return ip.startsWith(IPV6_NETWORK) || NETWORKS.some((network) => ip.startsWith(network));
}

/** The addresses of the host with a number from 1 on: IPv4 and IPv6, from 763 on only IPv6. */
export function hostAddresses(number: number): readonly string[] {
  const ipv6 = `2001:db8::${number.toString(16)}`;
  const network = NETWORKS[Math.floor((number - 1) / HOSTS_A_NETWORK)];
  return network === undefined ? [ipv6] : [`${network}${((number - 1) % HOSTS_A_NETWORK) + 1}`, ipv6];
}

/** The name service of one world. */
export class NameService {
  readonly #answers = new Map<string, readonly string[] | ErrorCode>();

  /** Gives a name its addresses, or the reason why it has none. */
  set(name: string, answer: readonly string[] | ErrorCode): void {
    this.#answers.set(name.toLowerCase(), answer);
  }

  resolve(name: string): readonly string[] | ErrorCode {
    const key = name.toLowerCase().replace(/\.$/, "");
    if (key === "localhost" || key.endsWith(".localhost")) return ["127.0.0.1", "::1"];
    return this.#answers.get(key) ?? "NAME_NOT_FOUND";
  }
}
