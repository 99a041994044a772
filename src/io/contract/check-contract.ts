/** The first two arguments of whoever keeps a contract, from programs without types too. */

import { Address, type AddressLike } from "../../core/address/address.ts";
import { UsageError } from "../../core/errors.ts";

/** By its shape, since it may come from another copy of this package. @throws UsageError `OPTION_INVALID`. */
export function checkContract(op: string, contract: unknown): void {
  const { name, hash, server, client } = (contract ?? {}) as Readonly<Record<string, unknown>>;
  const texts = typeof name === "string" && typeof hash === "string";
  if (texts && [server, client].every((side) => typeof side === "object" && side !== null)) return;
  const detail = "the first argument must be what contract(name, version, sides) answers; the address is the second";
  throw new UsageError("OPTION_INVALID", { op, detail });
}

/** An address for a session. @throws UsageError `ADDRESS_INVALID` for datagrams. */
export function checkSessionAddress(op: string, address: AddressLike, stateless: string): void {
  const given = Address.parse(address, { transport: "tcp", op });
  if (given.transport !== "udp") return;
  const detail = `a session needs a connection: give a tcp:, tls: or unix: address; over datagrams use ${stateless}`;
  throw new UsageError("ADDRESS_INVALID", { op, remote: given.toString(), detail });
}

/** An address for datagrams. @throws UsageError `ADDRESS_INVALID` for connections. */
export function datagramAddress(op: string, address: AddressLike, sessions: string): Address {
  const given = Address.parse(address, { transport: "udp", op });
  if (given.transport === "udp") return given;
  const detail = `datagrams need a udp: address; over ${given.transport}: use ${sessions}`;
  throw new UsageError("ADDRESS_INVALID", { op, remote: given.toString(), detail });
}
