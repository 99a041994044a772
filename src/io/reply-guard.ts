/**
 * What keeps a service on UDP from being used against others. The sender of a datagram can be forged, so a reply may go to
 * a victim: a long reply to a short request multiplies an attacker's traffic, and two services that answer each other never
 * stop.
 */

import type { Address } from "../core/address/address.ts";

/** Ports below belong to services (RFC 6335 section 6); programs that ask use higher ones. */
const FIRST_USER_PORT = 1024;

/**
 * Whether a datagram can be a question. One from a service's port is an answer or an error; so is one from the own port
 * number, which another instance of the same service uses. Groups and broadcast addresses never send (RFC 1122 section
 * 3.2.1.3).
 */
export function canBeRequest(from: Address, local: Address): boolean {
  if (from.port < FIRST_USER_PORT || from.port === local.port) return false;
  return !from.isMulticast && !from.isBroadcast && !from.isUnspecified;
}
