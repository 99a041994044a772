/** What calls check of the addresses and the texts that they are given, and the lookup of an own address. */

import type { Address } from "../../core/address/address.ts";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import type { Sockets } from "../network/network.ts";
import type { OperationContext } from "./deadline.ts";
import { isEncodable } from "../../core/bytes/utf8.ts";

/** What is missing of an address; undefined when it is whole. */
export function missingZone(address: Address): string | undefined {
  // Looked at for each datagram, so the prefix goes first.
  if (!address.host.startsWith("fe") || address.family !== 6 || address.zone !== "" || !address.isLinkLocal) {
    return undefined;
  }
  return `a link-local address needs its interface, as in ${address.host}%eth0`;
}

/** Throws `ADDRESS_INVALID` for a link-local address without its interface. */
export function checkZone(address: Address, context: OperationContext): void {
  const detail = missingZone(address);
  if (detail !== undefined) throw new UsageError("ADDRESS_INVALID", { ...context, detail });
}

/**
 * The UTF-8 of a text. Half of a surrogate pair has none (RFC 3629 section 3) and would arrive as U+FFFD.
 *
 * @param name - What the text is, for the error.
 * @throws UsageError `OPTION_INVALID`.
 */
export function textBytes(text: string, name: string, context: () => OperationContext): Buffer {
  if (isEncodable(text)) return Buffer.from(text, "utf8");
  const detail = `${name} has half of a surrogate pair, which has no UTF-8; cut texts between characters, or send bytes`;
  throw new UsageError("OPTION_INVALID", { ...context(), detail, outcome: "none" });
}

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

/** The first address of `host` in the first of these families that has one. */
export async function firstAddress(sockets: Sockets, host: string, families: readonly (4 | 6)[]): Promise<string> {
  let reason: Error | undefined;
  for (const family of families) {
    try {
      const [first] = await sockets.resolve(host, family);
      if (first !== undefined) return first;
    } catch (error) {
      reason ??= error as Error;
    }
  }
  throw reason ?? new ZocaloError("NAME_NOT_FOUND", { op: "resolve", remote: host });
}

/** An own address as one that can be told: a name is looked up. */
export async function toIp(sockets: Sockets, address: Address, families: readonly (4 | 6)[]): Promise<Address> {
  if (address.family !== "name") return address;
  return address.with({ host: await firstAddress(sockets, address.host, families) }).unmapped();
}
