/** From the kernel's and the runtime's error codes to Zócalo's: one table, and what they mean at one call only. */

import { ConnectError, ConnectionError, type ErrorCode, UsageError, ZocaloError } from "../core/errors.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import { inItsPlace } from "./errno-in-place.ts";
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
  "a firewall forbids the way to the peer, and the kernel ended the connection; what was not answered may or may not have arrived";

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
  "joinGroup EINVAL": {
    code: "OPTION_INVALID",
    detail: "the system does not join that group; check the group, `interface` and `source`",
  },
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
