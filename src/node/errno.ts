/** From the kernel's and the runtime's error codes to Zócalo's: one table, and what they mean at one call only. */

import { statSync } from "node:fs";
import os from "node:os";
import { Address } from "../core/address/address.ts";
import { ConnectError, ConnectionError, type ErrorCode, UsageError, ZocaloError } from "../core/errors.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import { type Meaning, tlsMeaning } from "./tls-errors.ts";

/** errno(3) and getaddrinfo(3), as Node names them. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  EADDRINUSE: "ADDRESS_IN_USE",
  EADDRNOTAVAIL: "ADDRESS_NOT_AVAILABLE",
  EAFNOSUPPORT: "ADDRESS_NOT_AVAILABLE",
  ENODEV: "ADDRESS_NOT_AVAILABLE",
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  EROFS: "PERMISSION_DENIED",
  ENOENT: "PATH_NOT_FOUND",
  ENOTDIR: "PATH_NOT_FOUND",
  ELOOP: "PATH_NOT_FOUND",
  ENAMETOOLONG: "ADDRESS_INVALID",
  EMFILE: "TOO_MANY_OPEN_FILES",
  ENFILE: "TOO_MANY_OPEN_FILES",
  ENOBUFS: "NO_BUFFER_SPACE",
  ENOMEM: "NO_BUFFER_SPACE",
  EAGAIN: "NO_BUFFER_SPACE",
  EWOULDBLOCK: "NO_BUFFER_SPACE",
  ECONNREFUSED: "CONNECTION_REFUSED",
  EPROTOTYPE: "CONNECTION_REFUSED",
  ENOTSOCK: "CONNECTION_REFUSED",
  EHOSTUNREACH: "HOST_UNREACHABLE",
  EHOSTDOWN: "HOST_UNREACHABLE",
  ENETUNREACH: "NETWORK_UNREACHABLE",
  ENETDOWN: "NETWORK_UNREACHABLE",
  ECONNRESET: "CONNECTION_RESET",
  EPIPE: "CONNECTION_RESET",
  ENOTCONN: "CONNECTION_RESET",
  ECONNABORTED: "CONNECTION_RESET",
  ENETRESET: "CONNECTION_RESET",
  ESHUTDOWN: "CONNECTION_RESET",
  ETIMEDOUT: "CONNECTION_TIMED_OUT",
  EMSGSIZE: "DATAGRAM_TOO_LARGE",
  ECANCELED: "CLOSED",
  EBADF: "CLOSED",
  ERR_SOCKET_CLOSED: "CLOSED",
  ERR_STREAM_DESTROYED: "CLOSED",
  ERR_SOCKET_DGRAM_NOT_RUNNING: "CLOSED",
  ERR_INVALID_ARG_TYPE: "OPTION_INVALID",
  ERR_INVALID_ARG_VALUE: "OPTION_INVALID",
  ERR_OUT_OF_RANGE: "OPTION_INVALID",
  EINVAL: "OPTION_INVALID",
  EDESTADDRREQ: "OPTION_INVALID",
  EISCONN: "OPTION_INVALID",
  ENOPROTOOPT: "UNSUPPORTED",
  EOPNOTSUPP: "UNSUPPORTED",
  ENOTSUP: "UNSUPPORTED",
  EPROTONOSUPPORT: "UNSUPPORTED",
  ENOSYS: "UNSUPPORTED",
  ENOTFOUND: "NAME_NOT_FOUND",
  EAI_NONAME: "NAME_NOT_FOUND",
  EAI_NODATA: "NAME_NOT_FOUND",
  EAI_AGAIN: "NAME_LOOKUP_FAILED",
  EAI_FAIL: "NAME_LOOKUP_FAILED",
  EAI_MEMORY: "NAME_LOOKUP_FAILED",
  EAI_SYSTEM: "NAME_LOOKUP_FAILED",
  EAI_ADDRFAMILY: "NAME_NOT_FOUND",
};

const NOT_ONE_FAMILY = "that peer cannot be reached from localAddress; both must be IPv4, or both IPv6";

const FORBIDDEN_ON_THE_WAY =
  "a firewall forbids the way to the peer, and the kernel gave up; what was not answered may or may not have arrived";

/** What a name of the system means at one call: by `operation name`, or by `operation/system call name`. */
const AT_CALL: Readonly<Record<string, Meaning>> = {
  "listen EINVAL": { code: "OPTION_INVALID", detail: "a server cannot have that address; give one of this machine" },
  "listen EROFS": { code: "PERMISSION_DENIED", detail: "the folder of that path cannot be written to (read-only)" },
  "bind EINVAL": {
    code: "OPTION_INVALID",
    detail: "a datagram socket cannot have that address; give one of this machine",
  },
  "connect EAGAIN": { code: "CONNECTION_REFUSED", detail: "the queue of the server is full; try again later" },
  "connect EPROTOTYPE": {
    code: "CONNECTION_REFUSED",
    detail: "the socket at that path is for datagrams, not for connections; check the path",
  },
  "connect EINVAL": { code: "OPTION_INVALID", detail: NOT_ONE_FAMILY },
  "connect/bind EADDRNOTAVAIL": {
    code: "ADDRESS_NOT_AVAILABLE",
    detail: "localAddress is not an address of this machine; leave it out, or use one of this machine",
  },
  // What ICMP has told an open connection until the kernel gave up (RFC 1122 section 4.2.3.9), here ICMPv6.
  "read EACCES": { code: "HOST_UNREACHABLE", detail: FORBIDDEN_ON_THE_WAY },
  "send EINVAL": {
    code: "OPTION_INVALID",
    detail: "this datagram socket cannot reach that address; both must be IPv4, or both IPv6",
  },
  "joinGroup EINVAL": { code: "OPTION_INVALID", detail: "that group cannot be joined in this way" },
  "joinGroup/addSourceSpecificMembership EADDRNOTAVAIL": {
    code: "ADDRESS_IN_USE",
    detail: "this datagram socket has joined that group for that source already",
  },
  // Linux, when the datagram socket takes no source of the group any more.
  "leaveGroup EINVAL": { code: "ADDRESS_NOT_AVAILABLE" },
};

/** Codes after which a socket or a connection is gone. */
const GONE: ReadonlySet<ErrorCode> = new Set(["CONNECTION_RESET", "CONNECTION_TIMED_OUT", "CLOSED"]);
const USAGE: ReadonlySet<ErrorCode> = new Set(["ADDRESS_INVALID", "OPTION_INVALID", "UNSUPPORTED"]);

/** What the system can say of an open connection; anything else there is told in its own words. */
const OF_A_CONNECTION: ReadonlySet<ErrorCode> = new Set([
  ...GONE,
  "HOST_UNREACHABLE",
  "NETWORK_UNREACHABLE",
  "CONNECTION_REFUSED",
  "PERMISSION_DENIED",
  "NO_BUFFER_SPACE",
]);

/** Puts an error of the system or of the runtime into Zócalo's shape, with the original as `cause`. */
export function systemError(error: unknown, context: OperationContext): ZocaloError {
  if (error instanceof ZocaloError) return error;
  const { code, detail, side } = meaningOf(error, context);
  const details = { ...context, cause: error, detail, side };
  // Whatever the system says of an open connection, it says why there is none any more.
  if (context.op === "read") return new ConnectionError(code, { ...details, outcome: "unknown" });
  if (USAGE.has(code)) return new UsageError(code, details);
  if (context.op === "connect" || context.op === "startTls") return new ConnectError(code, details);
  if (GONE.has(code)) return new ConnectionError(code, { ...details, outcome: "unknown" });
  return new ZocaloError(code, details);
}

function meaningOf(error: unknown, context: OperationContext): Meaning {
  const { code: name, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown };
  if (typeof name !== "string") return reported(error);
  const { op } = context;
  const call = String(syscall);
  const meaning = inItsPlace(name, call, context) ?? AT_CALL[`${op}/${call} ${name}`] ?? AT_CALL[`${op} ${name}`];
  if (meaning !== undefined) return meaning;
  const code = CODES[name];
  const text = textOf(error);
  if (code === undefined) return tlsMeaning(name, text, op) ?? reported(error);
  if (op === "read" && !OF_A_CONNECTION.has(code)) return reported(error);
  return USAGE.has(code) ? { code, detail: text } : { code };
}

/** What only the system knows: its words. */
function reported(error: unknown): Meaning {
  return { code: "SYSTEM_ERROR", detail: `the operating system reported: ${textOf(error)}` };
}

/** OpenSSL gives the reason apart; its message has line breaks, and places in its own source. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { reason } = error as { reason?: unknown };
  return typeof reason === "string" && reason !== "" ? reason : error.message.trim().replaceAll(/\s*\n\s*/g, " ");
}

const OPERATIONS: ReadonlySet<string> = new Set(["listen", "bind", "connect", "send", "receive"]);

const NO_FREE_PORT =
  "no free local port is left for it; close sockets, or widen the range (Linux: net.ipv4.ip_local_port_range)";
const LOOPBACK_ONLY =
  "no way there from a loopback address; use 0.0.0.0 or [::] as the own address, or one of an interface";
const ONE_PEER = "a connection has one peer; for a group or a broadcast address use bind() and send()";
const NO_IPV6 = "this machine has no IPv6 address for that; use IPv4, or give it one";

/** What `name`, from the system call `syscall`, means there; undefined where the addresses make no difference. */
function inItsPlace(name: string, syscall: string, context: OperationContext): Meaning | undefined {
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
