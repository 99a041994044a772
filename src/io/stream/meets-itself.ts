/** Whether two ends are one. */

import type { Address } from "../../core/address/address.ts";

/**
 * Whether a socket is its own peer. Where nobody has a port of this machine, the system may choose that very port for the
 * caller: the SYN of a connection then meets itself (a simultaneous open, RFC 9293 section 3.5), and a datagram socket hears what it
 * sends. Taken for the peer, it would also keep the port from the one that comes up.
 */
export function meetsItself(own: Address, peer: Address): boolean {
  if (!own.isIp || own.port !== peer.port) return false;
  // The unspecified address means the own one.
  return peer.isUnspecified || own.unmapped().host === peer.unmapped().host;
}
