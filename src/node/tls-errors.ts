/** What OpenSSL and the runtime say of TLS: of the peer's certificate, of a handshake, and alerts about this side. */

import type { ErrorCode, ErrorSide } from "../core/errors.ts";

/** The code of each name of the system, from the names that have a code, with spaces between them. */
export function codesByName(names: Partial<Record<ErrorCode, string>>): ReadonlyMap<string, ErrorCode> {
  const codes = Object.entries(names) as [ErrorCode, string][];
  return new Map(codes.flatMap(([code, all]) => all.split(" ").map((name) => [name, code] as const)));
}

/** Results of the verification of the peer's certificate (openssl-verification-options(1)), as Node names them. */
const VERIFICATION: ReadonlyMap<string, ErrorCode> = codesByName({
  CERTIFICATE_EXPIRED: "CERT_HAS_EXPIRED",
  CERTIFICATE_NOT_YET_VALID: "CERT_NOT_YET_VALID",
  CERTIFICATE_REVOKED: "CERT_REVOKED",
  CERTIFICATE_NAME_MISMATCH: "ERR_TLS_CERT_ALTNAME_INVALID HOSTNAME_MISMATCH",
  CERTIFICATE_UNTRUSTED:
    "DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_VERIFY_LEAF_SIGNATURE " +
    "UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_ISSUER_CERT_LOCALLY CERT_UNTRUSTED CERT_REJECTED",
  CERTIFICATE_INVALID:
    "CERT_SIGNATURE_FAILURE CERT_CHAIN_TOO_LONG ERROR_IN_CERT_NOT_BEFORE_FIELD " +
    "ERROR_IN_CERT_NOT_AFTER_FIELD INVALID_CA INVALID_PURPOSE PATH_LENGTH_EXCEEDED " +
    "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY UNABLE_TO_DECRYPT_CERT_SIGNATURE UNSPECIFIED",
});

const NEEDS_A_LIST = "a peer's certificate can be judged only by a current list of each authority";

/** The revocation lists are this side's own. */
const OWN_LISTS: Readonly<Record<string, string>> = {
  CRL_HAS_EXPIRED: `a list in \`crl\` has expired; ${NEEDS_A_LIST}`,
  CRL_NOT_YET_VALID: `a list in \`crl\` is not valid yet; ${NEEDS_A_LIST}`,
  CRL_SIGNATURE_FAILURE: `a list in \`crl\` has a wrong signature; ${NEEDS_A_LIST}`,
  ERROR_IN_CRL_LAST_UPDATE_FIELD: `a list in \`crl\` has no valid date; ${NEEDS_A_LIST}`,
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: `a list in \`crl\` has no valid date; ${NEEDS_A_LIST}`,
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: `a list in \`crl\` has a wrong signature; ${NEEDS_A_LIST}`,
  UNABLE_TO_GET_CRL: `\`crl\` has no list of the authority that signed the peer's certificate; ${NEEDS_A_LIST}`,
};

const OWN = "this side's certificate (`cert`)";

/** Alerts in which the peer says what it thinks of this side's certificate (RFC 8446 section 6.2). */
const ALERTS: Readonly<Record<string, Meaning>> = {
  CERTIFICATE_REQUIRED: ofOwn("CERTIFICATE_REQUIRED"),
  UNKNOWN_CA: ofOwn(
    "CERTIFICATE_UNTRUSTED",
    `the peer does not trust the authority that signed ${OWN}; use another certificate, or let the peer trust it`,
  ),
  CERTIFICATE_EXPIRED: ofOwn("CERTIFICATE_EXPIRED", `the peer says that ${OWN} has expired; renew it`),
  CERTIFICATE_REVOKED: ofOwn("CERTIFICATE_REVOKED", `the peer says that ${OWN} was revoked; replace it`),
  BAD_CERTIFICATE: refusedOwn("bad certificate"),
  CERTIFICATE_UNKNOWN: refusedOwn("certificate unknown"),
  UNSUPPORTED_CERTIFICATE: refusedOwn("unsupported certificate"),
};

const NO_TLS_THERE = "the peer does not speak TLS; check the port";
const NO_COMMON_VERSION = "the two sides have no version in common; see `minVersion`";
const NO_COMMON_ALPN = "the two sides have no protocol in common; see `alpn`";

/** What to look at when a handshake fails, by the name without `ERR_SSL_`. */
const HINTS: Readonly<Record<string, string>> = {
  WRONG_VERSION_NUMBER: NO_TLS_THERE,
  PACKET_LENGTH_TOO_LONG: NO_TLS_THERE,
  HTTP_REQUEST: "the client sent HTTP without TLS; check its port, or its https",
  HTTPS_PROXY_REQUEST: "the client took this server for an HTTP proxy",
  UNSUPPORTED_PROTOCOL: NO_COMMON_VERSION,
  TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_VERSION,
  NO_APPLICATION_PROTOCOL: NO_COMMON_ALPN,
  TLSV1_ALERT_NO_APPLICATION_PROTOCOL: NO_COMMON_ALPN,
  NO_SHARED_CIPHER: "the two sides have no cipher in common; see `ciphers`, and the kind of the key",
  HANDSHAKE_FAILURE:
    "the peer has no cipher in common with this side, or wants a client certificate (`cert` and `key`)",
  TLSV1_UNRECOGNIZED_NAME: "the server has no certificate for that name; see `servername`",
};

/** Names of a handshake that failed because this side has nothing to show. */
const WITHOUT_IDENTITY: ReadonlySet<string> = new Set(["NO_SUITABLE_SIGNATURE_ALGORITHM", "NO_CERTIFICATE_SET"]);

/** Undefined when the name is not one of TLS. `text` is what OpenSSL says of it. */
export function tlsMeaning(name: string, text: string, op: string): Meaning | undefined {
  const code = VERIFICATION.get(name);
  if (code !== undefined) return { code, detail: verified(code, text) };
  const list = OWN_LISTS[name];
  if (list !== undefined) return ofOwn("CERTIFICATE_INVALID", list);
  if (name === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") {
    return {
      code: "CERTIFICATE_REQUIRED",
      detail: "the client showed no certificate, and `clientCertificate` requires one",
    };
  }
  if (name.startsWith("ERR_OSSL_")) return { code: "CERTIFICATE_INVALID", detail: text };
  if (name !== "EPROTO" && !/^ERR_(?:SSL|TLS)_/.test(name)) return undefined;
  const alert = ALERTS[alertOf(name)];
  if (alert !== undefined) return alert;
  return failed(name.slice("ERR_SSL_".length), text, op);
}

/** OpenSSL calls an alert `sslv3`, `tlsv1`, `tlsv13` or, from 3.2 on, `ssl/tls`. */
function alertOf(name: string): string {
  return name.replace(/^ERR_SSL_(?:SSLV3|TLSV13?|SSL\/TLS)_ALERT_/, "");
}

function failed(name: string, text: string, op: string): Meaning {
  const code = "TLS_FAILED";
  if (op === "read") {
    return { code, detail: `TLS broke off (${text}); bytes were damaged, or the peer does not keep the protocol` };
  }
  if (WITHOUT_IDENTITY.has(name)) {
    return ofOwn(code, `the TLS handshake failed (${text}); this side has no certificate that the peer can use`);
  }
  const hint =
    HINTS[name] ?? HINTS[alertOf(`ERR_SSL_${name}`)] ?? "check that both sides speak TLS and share a version";
  return { code, detail: `the TLS handshake failed (${text}); ${hint}` };
}

/** The sentence of the code says enough, except where only the runtime knows what is in the certificate. */
function verified(code: ErrorCode, text: string): string | undefined {
  if (code === "CERTIFICATE_INVALID") return `the peer's certificate cannot be used: ${text}`;
  if (code === "CERTIFICATE_NAME_MISMATCH") return `${text.replace(/\.$/, "")}; connect by a name that it holds`;
  return undefined;
}

function ofOwn(code: ErrorCode, detail?: string): Meaning {
  return { code, side: "local", detail };
}

function refusedOwn(reason: string): Meaning {
  const detail = `the peer does not accept ${OWN} (${reason}); check the file, or use another one`;
  return ofOwn("CERTIFICATE_INVALID", detail);
}

/** The code; and where it has another sentence or another side than usual, these. */
export interface Meaning {
  readonly code: ErrorCode;
  readonly detail?: string | undefined;
  readonly side?: ErrorSide | undefined;
}
