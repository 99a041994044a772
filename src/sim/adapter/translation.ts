/** Between the words of programs and those of a simulated kernel: addresses go in, addresses and errors come out. */

import { Address } from "../../core/address/address.ts";
import { ConnectError, ConnectionError, type ErrorCode, UsageError, ZocaloError } from "../../core/errors.ts";
import type { OperationContext } from "../../io/operation/deadline.ts";
import type { Endpoint, TcpFailure } from "../kernel/packet.ts";
import { type Interface, KernelRefusal, type Place } from "../kernel/ports.ts";

/** The interfaces of every host, by their numbers and names. */
const INTERFACES: Readonly<Record<string, Interface>> = { lo: "lo", "1": "lo", eth0: "eth0", "2": "eth0" };

/** The place of an IP address. Throws `UNSUPPORTED` for a path, `ADDRESS_NOT_AVAILABLE` for an interface that there is not. */
export function placeOf(address: Address, context: OperationContext): Place {
  const { host: ip, port, zone } = address;
  if (address.isIp) return zone === "" ? { ip, port } : { ip, port, zone: interfaceOf(zone, context) };
  const detail = "a simulated host has no Unix sockets; use tcp://127.0.0.1 for programs on one host";
  throw new UsageError("UNSUPPORTED", { ...context, detail });
}

/** An interface by its name or number. */
export function interfaceOf(name: string, context: OperationContext): Interface {
  const found = INTERFACES[name];
  if (found !== undefined) return found;
  const detail = `this host has no interface ${name}; simulated hosts have lo and eth0`;
  throw new ZocaloError("ADDRESS_NOT_AVAILABLE", { ...context, detail });
}

/** The address of an end point. */
export function addressOf({ ip, port }: Endpoint, transport: "tcp" | "tls" | "udp"): Address {
  return Address.fromIp(transport, ip, port);
}

const FAILURES: Readonly<Record<TcpFailure, ErrorCode>> = {
  refused: "CONNECTION_REFUSED",
  reset: "CONNECTION_RESET",
  "timed out": "CONNECTION_TIMED_OUT",
  "host unreachable": "HOST_UNREACHABLE",
  "network unreachable": "NETWORK_UNREACHABLE",
};
const USAGE: ReadonlySet<ErrorCode> = new Set(["ADDRESS_INVALID", "OPTION_INVALID", "UNSUPPORTED"]);

/** The typed error of a failure. */
export function failureError(failure: TcpFailure, context: OperationContext): ZocaloError {
  const code = FAILURES[failure];
  if (context.op === "connect") return new ConnectError(code, context);
  if (context.op === "read") return new ConnectionError(code, { ...context, outcome: "unknown" });
  return new ZocaloError(code, context);
}

/** The typed error of a call that the simulated kernel refused. */
export function refusalError(error: unknown, context: OperationContext): unknown {
  if (!(error instanceof KernelRefusal)) return error;
  if (USAGE.has(error.code)) return new UsageError(error.code, context);
  if (context.op === "connect") return new ConnectError(error.code, context);
  return new ZocaloError(error.code, context);
}
