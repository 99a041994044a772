/** What an error code of the system means where the addresses of the call make a difference. */

import { statSync } from "node:fs";
import os from "node:os";
import { Address } from "../core/address/address.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import type { Meaning } from "./tls-errors.ts";

const OPERATIONS: ReadonlySet<string> = new Set(["listen", "bind", "connect", "send", "receive"]);

const NO_FREE_PORT =
  "no free local port is left for it; close sockets, or widen the range (Linux: net.ipv4.ip_local_port_range)";
const LOOPBACK_ONLY =
  "no way there from a loopback address; use 0.0.0.0 or [::] as the own address, or one of an interface";
const ONE_PEER = "a connection has one peer; for a group or a broadcast address use bind() and send()";
const NO_IPV6 = "this machine has no IPv6 address for that; use IPv4, or give it one";

/** What `name`, from the system call `syscall`, means there; undefined where the addresses make no difference. */
export function inItsPlace(name: string, syscall: string, context: OperationContext): Meaning | undefined {
  const { op, local, remote } = context;
  if (!OPERATIONS.has(op)) return undefined;
  const own = local === undefined ? undefined : Address.parse(local);
  const peer = remote === undefined ? undefined : Address.parse(remote);
  switch (name) {
    case "EACCES":
    case "EPERM":
      return syscall === "connect" || op === "send" || op === "receive" ? denied(name, op, peer) : notForUs(own);
    case "EADDRINUSE":
      if (own?.isIp !== true || own.port !== 0) return undefined;
      return { code: op === "connect" ? "ADDRESS_NOT_AVAILABLE" : "ADDRESS_IN_USE", detail: NO_FREE_PORT };
    case "EADDRNOTAVAIL":
      return op === "connect" && syscall === "connect" ? notAvailable(own, peer) : undefined;
    case "EAFNOSUPPORT":
      return { code: "ADDRESS_NOT_AVAILABLE", detail: NO_IPV6 };
    case "ECONNREFUSED":
      if (peer?.transport !== "unix" || isSocket(peer.path)) return undefined;
      return { code: "CONNECTION_REFUSED", detail: "the file at that path is no socket; check the path" };
    case "EINVAL":
      return syscall === "bind" ? undefined : noWay(own, peer);
    case "ENETUNREACH":
      if (op !== "connect" || peer === undefined || !(peer.isMulticast || peer.isBroadcast)) return undefined;
      return { code: "NETWORK_UNREACHABLE", side: "local", detail: ONE_PEER };
    default:
      return undefined;
  }
}

/** EINVAL of a call that names a peer; undefined where the two addresses are not of one family. */
function noWay(own: Address | undefined, peer: Address | undefined): Meaning | undefined {
  if (peer === undefined) return undefined;
  if (own !== undefined && own.host !== "::" && own.unmapped().family !== peer.unmapped().family) return undefined;
  if (own?.isLoopback === true && !peer.isLoopback) {
    return { code: "NETWORK_UNREACHABLE", side: "local", detail: LOOPBACK_ONLY };
  }
  return { code: "NETWORK_UNREACHABLE", detail: "the system sends nothing there; a route may drop it (blackhole)" };
}

/** EACCES and EPERM of a call that takes an address. */
function notForUs(own: Address | undefined): Meaning {
  const code = "PERMISSION_DENIED";
  if (own?.transport === "unix") {
    return { code, detail: "this program may not make a file in that folder; check the rights of both" };
  }
  const low = own !== undefined && own.port > 0 && own.port < 1024;
  if (!low) return { code, detail: "a rule of this machine forbids that address" };
  return { code, detail: "ports below 1024 need rights (Linux: CAP_NET_BIND_SERVICE); choose another one" };
}

/** EACCES and EPERM of a call that names a peer. */
function denied(name: string, op: string, peer: Address | undefined): Meaning | undefined {
  const code = "PERMISSION_DENIED";
  if (peer?.transport === "unix") {
    return {
      code,
      detail:
        "this program may not use that socket file; check the permissions of the file (`mode` of its server) and its folder",
    };
  }
  // ICMPv6 "administratively prohibited" (RFC 4443 section 3.1, code 1) is EACCES; the same over IPv4 is EHOSTUNREACH.
  if (name === "EACCES" && peer?.family === 6) {
    return { code: "HOST_UNREACHABLE", detail: "a firewall on this machine, on the way or on that host forbids it" };
  }
  if (op !== "bind") return undefined;
  return {
    code,
    detail: "a broadcast address cannot be `remote`; use bind() without it, udp.setBroadcast(true) and send()",
  };
}

/** The own address was bound, or none was asked for: what is missing is a port, or any address of the peer's family. */
function notAvailable(own: Address | undefined, peer: Address | undefined): Meaning {
  const code = "ADDRESS_NOT_AVAILABLE";
  if (own !== undefined && own.port !== 0) {
    return {
      code,
      detail: "these two addresses have a connection, or had one a moment ago; use another port in localAddress",
    };
  }
  const addresses = Object.values(os.networkInterfaces()).flat();
  if (peer?.family === 6 && !addresses.some((entry) => entry?.family === "IPv6")) return { code, detail: NO_IPV6 };
  return { code, detail: NO_FREE_PORT };
}

function isSocket(path: string): boolean {
  try {
    return path.startsWith("\0") || statSync(path).isSocket();
  } catch {
    return true;
  }
}
