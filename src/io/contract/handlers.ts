/** The methods of a contract as functions: the handlers of a program, in their order, and the `remote` of the peer. */

import { Address, type AddressLike } from "../../core/address/address.ts";
import { methodNames, type Methods } from "../../core/contract/contract.ts";
import { UsageError } from "../../core/errors.ts";

/** A handler, whatever its method. */
export type AnyHandler = (input: unknown, ...rest: readonly unknown[]) => unknown;

/** The handlers in the order of the places of their methods: one for each, and none for anything else. */
export function handlersOf(
  own: Methods,
  handlers: Readonly<Record<string, unknown>>,
  op: string,
): readonly AnyHandler[] {
  for (const name of Object.keys(handlers)) {
    if (!Object.hasOwn(own, name))
      throw invalid(op, `there is a handler for "${name}", which this side does not offer`);
  }
  return methodNames(own).map((name) => {
    const handler = handlers[name];
    if (typeof handler === "function") return handler as AnyHandler;
    throw invalid(op, `handlers must have a function for "${name}": nothing may arrive before its handler`);
  });
}

function invalid(op: string, detail: string): UsageError {
  return new UsageError("OPTION_INVALID", { op, detail });
}

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

/**
 * An object with a function for each method. Each knows where it belongs, so that a program may take it off and pass it on. The
 * object has no prototype: no name is taken.
 */
export function remoteObject<M extends { readonly name: string }>(
  methods: readonly M[],
  functionOf: (method: M, place: number) => (input: unknown, options?: never) => unknown,
): object {
  const remote = Object.create(null) as Record<string, unknown>;
  for (const [place, method] of methods.entries()) remote[method.name] = functionOf(method, place);
  return Object.freeze(remote);
}

/** The error of a method that was called without the object it belongs to: the names of a contract look like functions. */
export function unbound(object: string, method: string): UsageError {
  const detail = `call it on its ${object}, as ${object}.${method}(...); to hand it on, write (...args) => ${object}.${method}(...args)`;
  return new UsageError("OPTION_INVALID", { op: method, detail });
}
