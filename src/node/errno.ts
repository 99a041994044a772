/** From the kernel's and the runtime's error codes to Zócalo's: one table, and what they mean at one call only. */

import { ConnectError, ConnectionError, type ErrorCode, UsageError, ZocaloError } from "../core/errors.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import { inItsPlace } from "./errno-in-place.ts";
import { codesByName, type Meaning, tlsMeaning } from "./tls-errors.ts";

/** errno(3) and getaddrinfo(3), as Node names them. */
const CODES: ReadonlyMap<string, ErrorCode> = codesByName({
  ADDRESS_IN_USE: "EADDRINUSE",
  ADDRESS_NOT_AVAILABLE: "EADDRNOTAVAIL EAFNOSUPPORT ENODEV",
  PERMISSION_DENIED: "EACCES EPERM EROFS",
  PATH_NOT_FOUND: "ENOENT ENOTDIR ELOOP",
  ADDRESS_INVALID: "ENAMETOOLONG",
  TOO_MANY_OPEN_FILES: "EMFILE ENFILE",
  NO_BUFFER_SPACE: "ENOBUFS ENOMEM EAGAIN EWOULDBLOCK",
  CONNECTION_REFUSED: "ECONNREFUSED EPROTOTYPE ENOTSOCK",
  HOST_UNREACHABLE: "EHOSTUNREACH EHOSTDOWN",
  NETWORK_UNREACHABLE: "ENETUNREACH ENETDOWN",
  CONNECTION_RESET: "ECONNRESET EPIPE ENOTCONN ECONNABORTED ENETRESET ESHUTDOWN",
  CONNECTION_TIMED_OUT: "ETIMEDOUT",
  DATAGRAM_TOO_LARGE: "EMSGSIZE",
  CLOSED: "ECANCELED EBADF ERR_SOCKET_CLOSED ERR_STREAM_DESTROYED ERR_SOCKET_DGRAM_NOT_RUNNING",
  OPTION_INVALID: "ERR_INVALID_ARG_TYPE ERR_INVALID_ARG_VALUE ERR_OUT_OF_RANGE EINVAL EDESTADDRREQ EISCONN",
  UNSUPPORTED: "ENOPROTOOPT EOPNOTSUPP ENOTSUP EPROTONOSUPPORT ENOSYS",
  NAME_NOT_FOUND: "ENOTFOUND EAI_NONAME EAI_NODATA EAI_ADDRFAMILY",
  NAME_LOOKUP_FAILED: "EAI_AGAIN EAI_FAIL EAI_MEMORY EAI_SYSTEM",
});

const NOT_ONE_FAMILY = "that peer cannot be reached from localAddress; both must be IPv4, or both IPv6";

const FORBIDDEN_ON_THE_WAY =
  "a firewall forbids the way to the peer, and the kernel ended the connection; what was not answered may or may not have arrived";

/** What a name of the system means at one call: by `operation name`, or by `operation/system call name`. */
const AT_CALL: Readonly<Record<string, readonly [code: ErrorCode, detail?: string]>> = {
  "listen EINVAL": ["OPTION_INVALID", "a server cannot have that address; give one of this machine"],
  "listen EROFS": ["PERMISSION_DENIED", "the folder of that path cannot be written to (read-only)"],
  "bind EINVAL": ["OPTION_INVALID", "a datagram socket cannot have that address; give one of this machine"],
  "connect EAGAIN": ["CONNECTION_REFUSED", "the queue of the server is full; try again later"],
  "connect EPROTOTYPE": [
    "CONNECTION_REFUSED",
    "the socket at that path is for datagrams, not for connections; check the path",
  ],
  "connect EINVAL": ["OPTION_INVALID", NOT_ONE_FAMILY],
  "connect/bind EADDRNOTAVAIL": [
    "ADDRESS_NOT_AVAILABLE",
    "localAddress is not an address of this machine; leave it out, or use one of this machine",
  ],
  // What ICMP has told an open connection until the kernel gave up (RFC 1122 section 4.2.3.9), here ICMPv6.
  "read EACCES": ["HOST_UNREACHABLE", FORBIDDEN_ON_THE_WAY],
  "send EINVAL": ["OPTION_INVALID", "this datagram socket cannot reach that address; both must be IPv4, or both IPv6"],
  "joinGroup EINVAL": [
    "OPTION_INVALID",
    "the system does not join that group; check the group, `interface` and `source`",
  ],
  "joinGroup/addSourceSpecificMembership EADDRNOTAVAIL": [
    "ADDRESS_IN_USE",
    "this datagram socket has joined that group for that source already",
  ],
  // Linux, when the datagram socket takes no source of the group any more.
  "leaveGroup EINVAL": ["ADDRESS_NOT_AVAILABLE"],
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
  const inPlace = inItsPlace(name, call, context);
  if (inPlace !== undefined) return inPlace;
  const atCall = AT_CALL[`${op}/${call} ${name}`] ?? AT_CALL[`${op} ${name}`];
  if (atCall !== undefined) return { code: atCall[0], detail: atCall[1] };
  const code = CODES.get(name);
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
