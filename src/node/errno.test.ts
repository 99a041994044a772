import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import {
  ConnectError,
  ConnectionError,
  type ErrorCode,
  errorCodes,
  ProtocolError,
  UsageError,
  ZocaloError,
} from "../core/errors.ts";
import { assertError, assertErrorShape } from "../testing/expect-error.ts";
import { systemError } from "./errno.ts";

function failure(code: string, message = `write ${code}`): Error {
  return Object.assign(new Error(message), { code });
}

test("the errnos that sockets meet have a code of their own", () => {
  const expected: Readonly<Record<string, ErrorCode>> = {
    EADDRINUSE: "ADDRESS_IN_USE",
    EADDRNOTAVAIL: "ADDRESS_NOT_AVAILABLE",
    EACCES: "PERMISSION_DENIED",
    EPERM: "PERMISSION_DENIED",
    ENOENT: "PATH_NOT_FOUND",
    EMFILE: "TOO_MANY_OPEN_FILES",
    ENFILE: "TOO_MANY_OPEN_FILES",
    ENOBUFS: "NO_BUFFER_SPACE",
    ECONNREFUSED: "CONNECTION_REFUSED",
    EHOSTUNREACH: "HOST_UNREACHABLE",
    ENETUNREACH: "NETWORK_UNREACHABLE",
    ECONNRESET: "CONNECTION_RESET",
    EPIPE: "CONNECTION_RESET",
    ETIMEDOUT: "CONNECTION_TIMED_OUT",
    EMSGSIZE: "DATAGRAM_TOO_LARGE",
    EINVAL: "OPTION_INVALID",
    EOPNOTSUPP: "UNSUPPORTED",
    ENOTFOUND: "NAME_NOT_FOUND",
    EAI_AGAIN: "NAME_LOOKUP_FAILED",
    CERT_HAS_EXPIRED: "CERTIFICATE_EXPIRED",
    ERR_TLS_CERT_ALTNAME_INVALID: "CERTIFICATE_NAME_MISMATCH",
    DEPTH_ZERO_SELF_SIGNED_CERT: "CERTIFICATE_UNTRUSTED",
    ERR_SSL_WRONG_VERSION_NUMBER: "TLS_FAILED",
    ERR_OSSL_X509_KEY_VALUES_MISMATCH: "CERTIFICATE_INVALID",
    ERR_INVALID_ARG_TYPE: "OPTION_INVALID",
  };
  for (const [name, code] of Object.entries(expected)) {
    assert.equal(systemError(failure(name), { op: "read" }).code, code, name);
  }
});

test("every errno of this system gives a code of the list, and an error of the right shape", () => {
  for (const name of Object.keys(constants.errno)) {
    for (const op of ["connect", "upgradeTls", "read", "write", "listen", "send"]) {
      const cause = failure(name);
      const error = systemError(cause, { op, local: "tcp://127.0.0.1:1", remote: "tcp://127.0.0.1:2" });
      assertErrorShape(error);
      assert.ok(errorCodes.includes(error.code));
      assert.deepEqual([error.op, error.cause, error.remote], [op, cause, "tcp://127.0.0.1:2"]);
    }
  }
});

test("the class follows from the code and the operation", () => {
  assertError(systemError(failure("ECONNRESET"), { op: "connect" }), { code: "CONNECTION_RESET", type: ConnectError });
  const lost = systemError(failure("ECONNRESET"), { op: "read" });
  assertError(lost, { code: "CONNECTION_RESET", type: ConnectionError, outcome: "unknown" });
  assertError(systemError(failure("EINVAL"), { op: "connect" }), { code: "OPTION_INVALID", type: UsageError });
  assertError(systemError(failure("EADDRINUSE"), { op: "listen" }), { code: "ADDRESS_IN_USE", type: ZocaloError });
});

test("an unknown error is SYSTEM_ERROR, with the words of the system", () => {
  for (const cause of [failure("EWEIRD", "weird things"), new Error("weird things"), "weird things"]) {
    const error = systemError(cause, { op: "read" });
    assertError(error, { code: "SYSTEM_ERROR", op: "read", type: ZocaloError });
    assert.match(error.detail, /weird things/);
    assert.equal(error.cause, cause);
  }
  for (const cause of [null, undefined, 7, {}]) assertErrorShape(systemError(cause, { op: "read" }));
});

test("an error that is Zócalo's already stays as it is", () => {
  const error = new ProtocolError("FRAME_INVALID", { op: "receive" });
  assert.equal(systemError(error, { op: "read" }), error);
});

test("an error of TLS on an open connection is the loss of it, told in one line", () => {
  const message = "80DC:error:0A000119:SSL routines:ssl3_get_record:bad record mac:ssl3_record.c:616:\n";
  const cause = Object.assign(failure("ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC", message), {
    reason: "bad record mac",
  });
  const lost = systemError(cause, { op: "read" });
  assertError(lost, { code: "TLS_FAILED", type: ConnectionError, outcome: "unknown", side: "remote" });
  assert.match(lost.detail, /^TLS broke off \(bad record mac\)/);
  const refused = systemError(failure("ERR_SSL_TLSV1_ALERT_UNKNOWN_CA"), { op: "read" });
  assertError(refused, { code: "CERTIFICATE_UNTRUSTED", type: ConnectionError });
  assertError(systemError(cause, { op: "connect" }), { code: "TLS_FAILED", type: ConnectError });
  assert.doesNotMatch(systemError(failure("ERR_SSL_OTHER", message), { op: "read" }).message, /\n/);
});
