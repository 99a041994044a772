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
    ERR_INVALID_ARG_TYPE: "OPTION_INVALID",
  };
  for (const [name, code] of Object.entries(expected)) {
    assert.equal(systemError(failure(name), { op: "setTtl" }).code, code, name);
  }
});

const OPERATIONS =
  "listen accept connect bind read upgradeTls send receive joinGroup leaveGroup setBroadcast setTtl setMulticastTtl setMulticastLoopback setMulticastInterface bufferSizes resolve".split(
    " ",
  );

test("every errno of this system gives a code of the list, and an error of the right shape", () => {
  for (const name of Object.keys(constants.errno)) {
    for (const op of OPERATIONS) {
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
  assertError(systemError(failure("EINVAL"), { op: "connect" }), { code: "OPTION_INVALID", type: UsageError });
  assertError(systemError(failure("EADDRINUSE"), { op: "listen" }), { code: "ADDRESS_IN_USE", type: ZocaloError });
});

test("whatever the system says of an open connection, the connection is gone", () => {
  for (const name of [...Object.keys(constants.errno), "ERR_SSL_BAD_RECORD", "anything"]) {
    const cause = failure(name);
    const error = systemError(cause, { op: "read", remote: "tcp://127.0.0.1:2" });
    assertError(error, { code: error.code, op: "read", type: ConnectionError, outcome: "unknown" });
    assert.ok(!["OPTION_INVALID", "ADDRESS_INVALID", "UNSUPPORTED"].includes(error.code), `${name}: ${error.message}`);
    assert.doesNotMatch(error.detail, /\bport\b|start the server|choose|`\w+`/, name);
  }
});

test("an unknown error is SYSTEM_ERROR, with the words of the system", () => {
  for (const cause of [failure("EWEIRD", "weird things"), new Error("weird things"), "weird things"]) {
    const error = systemError(cause, { op: "send" });
    assertError(error, { code: "SYSTEM_ERROR", op: "send", type: ZocaloError });
    assert.match(error.detail, /weird things/);
    assert.equal(error.cause, cause);
  }
  for (const cause of [null, undefined, 7, {}]) assertErrorShape(systemError(cause, { op: "read" }));
});

test("an error that is Zócalo's already stays as it is", () => {
  const error = new ProtocolError("FRAME_INVALID", { op: "receive" });
  assert.equal(systemError(error, { op: "read" }), error);
});
