/** From the kernel's and the runtime's error codes to Zócalo's: one table. */

import {
  ConnectError,
  ConnectionError,
  type ErrorCode,
  type ErrorDetails,
  UsageError,
  ZocaloError,
} from "../core/errors.ts";
import type { OperationContext } from "../io/deadline.ts";

/** errno(3), getaddrinfo(3) and OpenSSL verification codes, as Node names them. */
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
  // X.509 verification results (openssl-verification-options(1)), as Node names them.
  CERT_HAS_EXPIRED: "CERTIFICATE_EXPIRED",
  CERT_NOT_YET_VALID: "CERTIFICATE_NOT_YET_VALID",
  CERT_REVOKED: "CERTIFICATE_REVOKED",
  CRL_HAS_EXPIRED: "CERTIFICATE_INVALID",
  UNABLE_TO_GET_CRL: "CERTIFICATE_INVALID",
  ERR_TLS_CERT_ALTNAME_INVALID: "CERTIFICATE_NAME_MISMATCH",
  HOSTNAME_MISMATCH: "CERTIFICATE_NAME_MISMATCH",
  DEPTH_ZERO_SELF_SIGNED_CERT: "CERTIFICATE_UNTRUSTED",
  SELF_SIGNED_CERT_IN_CHAIN: "CERTIFICATE_UNTRUSTED",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "CERTIFICATE_UNTRUSTED",
  UNABLE_TO_GET_ISSUER_CERT: "CERTIFICATE_UNTRUSTED",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "CERTIFICATE_UNTRUSTED",
  CERT_UNTRUSTED: "CERTIFICATE_UNTRUSTED",
  CERT_REJECTED: "CERTIFICATE_UNTRUSTED",
  CERT_SIGNATURE_FAILURE: "CERTIFICATE_INVALID",
  CERT_CHAIN_TOO_LONG: "CERTIFICATE_INVALID",
  INVALID_CA: "CERTIFICATE_INVALID",
  INVALID_PURPOSE: "CERTIFICATE_INVALID",
  PATH_LENGTH_EXCEEDED: "CERTIFICATE_INVALID",
  // Alerts that say what the peer thinks of our certificate (RFC 8446 section 6.2).
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "CERTIFICATE_REQUIRED",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "CERTIFICATE_UNTRUSTED",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "CERTIFICATE_EXPIRED",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: "CERTIFICATE_REVOKED",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "CERTIFICATE_INVALID",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "CERTIFICATE_INVALID",
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: "CERTIFICATE_INVALID",
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "CERTIFICATE_REQUIRED",
};

/** Codes after which a socket or a connection is gone. */
const GONE: ReadonlySet<ErrorCode> = new Set(["CONNECTION_RESET", "CONNECTION_TIMED_OUT", "CLOSED"]);
const USAGE: ReadonlySet<ErrorCode> = new Set(["ADDRESS_INVALID", "OPTION_INVALID", "UNSUPPORTED"]);

/** The code of Zócalo for a code of the system or of OpenSSL. */
function codeOf(error: unknown): ErrorCode {
  const name = (error as { code?: unknown } | null | undefined)?.code;
  if (typeof name !== "string") return "SYSTEM_ERROR";
  const known = CODES[name];
  if (known !== undefined) return known;
  if (name.startsWith("ERR_SSL_") || name.startsWith("ERR_TLS_") || name === "EPROTO") return "TLS_FAILED";
  if (name.startsWith("ERR_OSSL_")) return "CERTIFICATE_INVALID";
  if (name.startsWith("ERR_INVALID_ARG") || name === "ERR_OUT_OF_RANGE") return "OPTION_INVALID";
  return "SYSTEM_ERROR";
}

/** Puts an error of the system or of the runtime into Zócalo's shape, with the original as `cause`. */
export function systemError(error: unknown, context: OperationContext): ZocaloError {
  if (error instanceof ZocaloError) return error;
  const code = codeOf(error);
  const details: ErrorDetails = { ...context, cause: error, detail: detailOf(code, error, context.op) };
  if (USAGE.has(code)) return new UsageError(code, details);
  if (context.op === "connect" || context.op === "upgradeTls") return new ConnectError(code, details);
  if (GONE.has(code) || (context.op === "read" && isAboutTls(code))) {
    return new ConnectionError(code, { ...details, outcome: "unknown" });
  }
  return new ZocaloError(code, details);
}

/** An open connection does not survive an alert of TLS (RFC 8446 section 6.2). */
function isAboutTls(code: ErrorCode): boolean {
  return code === "TLS_FAILED" || code.startsWith("CERTIFICATE_");
}

/** OpenSSL gives the reason apart; its message has line breaks, and places in its own source. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { reason } = error as { reason?: unknown };
  return typeof reason === "string" && reason !== "" ? reason : error.message.trim().replaceAll(/\s*\n\s*/g, " ");
}

/** The sentence of a code says enough, except where only the system knows what happened. */
function detailOf(code: ErrorCode, error: unknown, op: string): string | undefined {
  const text = textOf(error);
  switch (code) {
    case "SYSTEM_ERROR":
      return `the operating system reported: ${text}`;
    case "OPTION_INVALID":
    case "ADDRESS_INVALID":
    case "UNSUPPORTED":
    case "CERTIFICATE_INVALID":
      return text;
    case "TLS_FAILED":
      if (op === "read") return `TLS broke off (${text}); bytes were damaged, or the peer does not keep the protocol`;
      return `the TLS handshake failed (${text}); check that both sides speak TLS and share a version`;
    case "CERTIFICATE_NAME_MISMATCH":
      return `${text.replace(/\.$/, "")}; connect by a name that it holds`;
    default:
      return undefined;
  }
}
