import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectError, ConnectionError, type ErrorCode, type ErrorSide } from "../core/errors.ts";
import { assertError } from "../testing/expect-error.ts";
import { systemError } from "./errno.ts";

function failure(code: string, text: string): Error {
  return Object.assign(new Error(text), { code, reason: text });
}

type Row = readonly [name: string, code: ErrorCode, side: ErrorSide, detail: RegExp];

test("the peer's certificate is judged: its fault, with the reason as the code", () => {
  const rows: readonly Row[] = [
    ["CERT_HAS_EXPIRED", "CERTIFICATE_EXPIRED", "remote", /^the certificate has expired/],
    ["CERT_NOT_YET_VALID", "CERTIFICATE_NOT_YET_VALID", "remote", /clocks/],
    ["CERT_REVOKED", "CERTIFICATE_REVOKED", "remote", /was revoked/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "CERTIFICATE_NAME_MISMATCH", "remote", /^words; connect by a name that it holds$/],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "CERTIFICATE_UNTRUSTED", "remote", /give its authority as `ca`/],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "CERTIFICATE_UNTRUSTED", "remote", /give its authority as `ca`/],
    ["CERT_SIGNATURE_FAILURE", "CERTIFICATE_INVALID", "remote", /^the peer's certificate cannot be used: words$/],
    ["UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY", "CERTIFICATE_INVALID", "remote", /^the peer's certificate/],
    ["UNSPECIFIED", "CERTIFICATE_INVALID", "remote", /^the peer's certificate/],
  ];
  for (const [name, code, side, detail] of rows) {
    const error = systemError(failure(name, "words"), { op: "startTls" });
    assertError(error, { code, side, type: ConnectError });
    assert.match(error.detail, detail, name);
  }
});

test("a revocation list that is missing or old is this side's", () => {
  for (const name of ["CRL_HAS_EXPIRED", "CRL_NOT_YET_VALID", "UNABLE_TO_GET_CRL", "CRL_SIGNATURE_FAILURE"]) {
    const error = systemError(failure(name, "words"), { op: "startTls" });
    assertError(error, { code: "CERTIFICATE_INVALID", side: "local" });
    assert.match(error.detail, /`crl`/);
  }
});

test("an alert about this side's certificate is this side's fault, whatever OpenSSL calls it, and names the option", () => {
  const rows: readonly Row[] = [
    ["CERTIFICATE_EXPIRED", "CERTIFICATE_EXPIRED", "local", /`cert`\) has expired; renew it$/],
    ["CERTIFICATE_REVOKED", "CERTIFICATE_REVOKED", "local", /`cert`\) was revoked/],
    ["UNKNOWN_CA", "CERTIFICATE_UNTRUSTED", "local", /^the peer does not trust the authority that signed .*`cert`/],
    ["BAD_CERTIFICATE", "CERTIFICATE_INVALID", "local", /does not accept .*`cert`/],
    ["CERTIFICATE_UNKNOWN", "CERTIFICATE_INVALID", "local", /does not accept .*`cert`/],
    ["UNSUPPORTED_CERTIFICATE", "CERTIFICATE_INVALID", "local", /does not accept .*`cert`/],
    ["CERTIFICATE_REQUIRED", "CERTIFICATE_REQUIRED", "local", /give `cert` and `key`$/],
  ];
  for (const [alert, code, side, detail] of rows) {
    for (const prefix of ["SSLV3", "TLSV1", "TLSV13", "SSL/TLS"]) {
      const name = `ERR_SSL_${prefix}_ALERT_${alert}`;
      for (const [op, type] of [
        ["startTls", ConnectError],
        ["read", ConnectionError],
      ] as const) {
        const error = systemError(failure(name, "words"), { op });
        assertError(error, { code, side, type });
        assert.match(error.detail, detail, name);
      }
    }
  }
});

test("a handshake that fails says what to look at", () => {
  const rows: readonly Row[] = [
    ["ERR_SSL_WRONG_VERSION_NUMBER", "TLS_FAILED", "remote", /\(words\); the peer does not speak TLS/],
    ["ERR_SSL_HTTP_REQUEST", "TLS_FAILED", "remote", /HTTP without TLS/],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", "TLS_FAILED", "remote", /`minVersion`/],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "TLS_FAILED", "remote", /`minVersion`/],
    ["ERR_SSL_NO_APPLICATION_PROTOCOL", "TLS_FAILED", "remote", /`alpn`/],
    ["ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "TLS_FAILED", "remote", /`alpn`/],
    ["ERR_SSL_NO_SHARED_CIPHER", "TLS_FAILED", "remote", /`ciphers`/],
    ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "TLS_FAILED", "remote", /`cert` and `key`/],
    ["ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE", "TLS_FAILED", "remote", /`cert` and `key`/],
    ["ERR_SSL_TLSV1_UNRECOGNIZED_NAME", "TLS_FAILED", "remote", /`servername`/],
    ["ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM", "TLS_FAILED", "local", /this side has no certificate/],
    [
      "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
      "CERTIFICATE_REQUIRED",
      "remote",
      /^the client showed no certificate/,
    ],
    ["ERR_SSL_ANYTHING_ELSE", "TLS_FAILED", "remote", /check that both sides speak TLS and share a version$/],
    ["EPROTO", "TLS_FAILED", "remote", /check that both sides speak TLS/],
  ];
  for (const [name, code, side, detail] of rows) {
    const error = systemError(failure(name, "words"), { op: "startTls" });
    assertError(error, { code, side, type: ConnectError });
    assert.match(error.detail, detail, name);
  }
});

test("an error of TLS on an open connection is the loss of it, told in one line", () => {
  const message = "80DC:error:0A000119:SSL routines:ssl3_get_record:bad record mac:ssl3_record.c:616:\n";
  const cause = Object.assign(new Error(message), {
    code: "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
    reason: "bad record mac",
  });
  const lost = systemError(cause, { op: "read" });
  assertError(lost, { code: "TLS_FAILED", type: ConnectionError, outcome: "unknown", side: "remote" });
  assert.match(lost.detail, /^TLS broke off \(bad record mac\)/);
  assertError(systemError(cause, { op: "connect" }), { code: "TLS_FAILED", type: ConnectError });
  const bare = Object.assign(new Error(message), { code: "ERR_SSL_OTHER" });
  assert.doesNotMatch(systemError(bare, { op: "read" }).message, /\n/);
});
