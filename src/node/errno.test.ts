import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import os from "node:os";
import { constants } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  ConnectError,
  ConnectionError,
  type ErrorCode,
  errorCodes,
  type ErrorSide,
  ProtocolError,
  UsageError,
  ZocaloError,
} from "../core/errors.ts";
import { assertError, assertErrorShape } from "../testing/expect-error.ts";
import { systemError } from "./errno.ts";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";

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
  "listen accept connect bind read startTls send receive joinGroup leaveGroup setBroadcast setTtl setMulticastTtl setMulticastLoopback setMulticastInterface bufferSizes kernelDrops resolve".split(
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

const folder = temporaryFolder();
const plainFile = join(folder, "file");
writeFileSync(plainFile, "");

/** A call between two addresses, and whose fault its error is; by default that of the system. */
interface Call {
  readonly op: string;
  readonly syscall?: string;
  readonly local?: string;
  readonly remote?: string;
  readonly side?: ErrorSide;
  readonly type?: typeof ZocaloError | typeof ConnectError;
}

/** What the system said at a call, and what the error then is. */
type Row = readonly [call: Call, errno: string, code: ErrorCode, says: RegExp];

const usage = { side: "local", type: UsageError } as const;

function checkRows(rows: readonly Row[]): void {
  for (const [call, errno, code, says] of rows) {
    const { op, syscall = op, local, remote, side = "system", type = ZocaloError } = call;
    const cause = Object.assign(new Error(`${syscall} ${errno}`), { code: errno, syscall });
    const error = systemError(cause, { op, local, remote });
    assertError(error, { code, op, side, type, local, remote });
    assert.match(error.detail, says, `${op} ${errno}`);
    assert.equal(error.cause, cause);
  }
}

test("a server or a datagram socket that cannot have its address", () => {
  const tcp = { op: "listen", local: "tcp://127.0.0.1:80" };
  const any = { op: "listen", local: "tcp://127.0.0.1:0" };
  const path = { op: "listen", local: "unix:/run/x.sock" };
  const udp = { op: "bind", local: "udp://127.0.0.1:80" };
  checkRows([
    [tcp, "EADDRINUSE", "ADDRESS_IN_USE", /^another program uses that address, or this one does/],
    [udp, "EADDRINUSE", "ADDRESS_IN_USE", /^another program uses that address, or this one does/],
    [any, "EADDRINUSE", "ADDRESS_IN_USE", /^no free local port/],
    [{ ...udp, local: "udp://[::]:0" }, "EADDRINUSE", "ADDRESS_IN_USE", /^no free local port/],
    [tcp, "EACCES", "PERMISSION_DENIED", /^ports below 1024 need rights/],
    [udp, "EACCES", "PERMISSION_DENIED", /^ports below 1024 need rights/],
    [any, "EACCES", "PERMISSION_DENIED", /^a rule of this machine/],
    [path, "EACCES", "PERMISSION_DENIED", /may not make a file in that folder/],
    [path, "EPERM", "PERMISSION_DENIED", /may not make a file in that folder/],
    [path, "ENOENT", "PATH_NOT_FOUND", /^the folder of that path does not exist/],
    [path, "ENOTDIR", "PATH_NOT_FOUND", /^the folder of that path does not exist/],
    [tcp, "EADDRNOTAVAIL", "ADDRESS_NOT_AVAILABLE", /^this machine has no such address/],
    [tcp, "EAFNOSUPPORT", "ADDRESS_NOT_AVAILABLE", /no IPv6/],
    [tcp, "ENOBUFS", "NO_BUFFER_SPACE", /another socket/],
    [udp, "ENOMEM", "NO_BUFFER_SPACE", /another socket/],
    [tcp, "EMFILE", "TOO_MANY_OPEN_FILES", /ulimit/],
    [{ op: "accept", local: "tcp://127.0.0.1:80" }, "ENFILE", "TOO_MANY_OPEN_FILES", /ulimit/],
    [{ op: "accept", local: "unix:/run/x.sock" }, "ENOMEM", "NO_BUFFER_SPACE", /another socket/],
    [{ ...tcp, ...usage }, "EINVAL", "OPTION_INVALID", /^a server cannot have that address/],
    [{ ...udp, ...usage }, "EINVAL", "OPTION_INVALID", /^a datagram socket cannot have that address/],
  ]);
});

test("a connection that is not made", () => {
  const call = { op: "connect", remote: "tcp://203.0.113.1:80", type: ConnectError } as const;
  const six = { ...call, remote: "tcp://[2001:db8::1]:80" } as const;
  const path = { ...call, remote: "unix:/run/x.sock" } as const;
  const own = { ...call, local: "tcp://127.0.0.1:0", side: "local" } as const;
  const other = { ...call, local: "tcp://192.0.2.1:0" } as const;
  const fixed = { ...call, local: "tcp://192.0.2.1:7" } as const;
  const toGroup = { ...call, remote: "tcp://239.1.2.3:80", side: "local" } as const;
  const otherFamily = { ...call, local: "tcp://[::1]:0", syscall: "bind", ...usage } as const;
  const notThis = /^localAddress is not an address of this machine/;
  checkRows([
    [{ ...call, side: "remote" }, "ECONNREFUSED", "CONNECTION_REFUSED", /^nothing listens there/],
    [{ ...call, side: "remote" }, "ECONNRESET", "CONNECTION_RESET", /before it was made/],
    [call, "ETIMEDOUT", "CONNECTION_TIMED_OUT", /^no answer came/],
    [call, "EHOSTUNREACH", "HOST_UNREACHABLE", /^no way to that host/],
    [call, "ENETUNREACH", "NETWORK_UNREACHABLE", /^no way to that network/],
    [call, "EADDRNOTAVAIL", "ADDRESS_NOT_AVAILABLE", /^no free local port/],
    [other, "EADDRNOTAVAIL", "ADDRESS_NOT_AVAILABLE", /^no free local port/],
    [{ ...other, syscall: "bind" }, "EADDRNOTAVAIL", "ADDRESS_NOT_AVAILABLE", notThis],
    [fixed, "EADDRNOTAVAIL", "ADDRESS_NOT_AVAILABLE", /^these two addresses have a connection/],
    [other, "EADDRINUSE", "ADDRESS_NOT_AVAILABLE", /^no free local port/],
    [{ ...fixed, syscall: "bind" }, "EADDRINUSE", "ADDRESS_IN_USE", /^another socket has the own address/],
    [call, "EACCES", "PERMISSION_DENIED", /^a firewall or another rule of this machine/],
    [call, "EPERM", "PERMISSION_DENIED", /^a firewall or another rule of this machine/],
    [six, "EACCES", "HOST_UNREACHABLE", /^a firewall/],
    [six, "EPERM", "PERMISSION_DENIED", /^a firewall or another rule of this machine/],
    [call, "ENOBUFS", "NO_BUFFER_SPACE", /another socket/],
    [own, "EINVAL", "NETWORK_UNREACHABLE", /from a loopback address/],
    [call, "EINVAL", "NETWORK_UNREACHABLE", /a route may drop it/],
    [toGroup, "ENETUNREACH", "NETWORK_UNREACHABLE", /^a connection has one peer/],
    [path, "ENOENT", "PATH_NOT_FOUND", /^there is no such path/],
    [path, "EACCES", "PERMISSION_DENIED", /may not use that socket file/],
    [{ ...path, side: "remote" }, "EAGAIN", "CONNECTION_REFUSED", /^the queue of the server is full/],
    [{ ...path, side: "remote" }, "EPROTOTYPE", "CONNECTION_REFUSED", /for datagrams, not for connections/],
    [{ ...path, side: "remote" }, "ECONNREFUSED", "CONNECTION_REFUSED", /^nothing listens there/],
    [{ ...path, remote: `unix:${plainFile}`, side: "remote" }, "ECONNREFUSED", "CONNECTION_REFUSED", /is no socket/],
    [otherFamily, "EINVAL", "OPTION_INVALID", /both must be IPv4, or both IPv6$/],
  ]);
});

test("a machine without IPv6 has no port for it either", (t) => {
  const call = { op: "connect", remote: "tcp://[::1]:80", type: ConnectError } as const;
  const lo = { address: "127.0.0.1", family: "IPv4", internal: true } as os.NetworkInterfaceInfo;
  const has = t.mock.method(os, "networkInterfaces", () => ({ lo: [lo] }));
  checkRows([[call, "EADDRNOTAVAIL", "ADDRESS_NOT_AVAILABLE", /^this machine has no IPv6 address/]]);
  has.mock.mockImplementation(() => ({ lo: [{ ...lo, family: "IPv6", address: "::1" } as os.NetworkInterfaceInfo] }));
  checkRows([[call, "EADDRNOTAVAIL", "ADDRESS_NOT_AVAILABLE", /^no free local port/]]);
});

test("a datagram that is not sent, and what an earlier one met", () => {
  const out = { op: "send", local: "udp://0.0.0.0:7", remote: "udp://203.0.113.1:9" };
  const six = { op: "send", local: "udp://[::]:7", remote: "udp://[2001:db8::1]:9" };
  const back = { op: "receive", local: "udp://127.0.0.1:7", remote: "udp://127.0.0.1:9" };
  const opening = { op: "bind", syscall: "connect" };
  const toAll = { ...opening, local: "udp://0.0.0.0:0", remote: "udp://255.255.255.255:9" };
  const home = { ...opening, local: "udp://127.0.0.1:0", remote: "udp://203.0.113.1:9", side: "local" } as const;
  const otherFamily = { ...out, remote: "udp://[::1]:9", side: "local", type: UsageError } as const;
  const earlier = /^nothing listens there: that host refused an earlier/;
  const loopback = /^no way there from a loopback address/;
  checkRows([
    [out, "EACCES", "PERMISSION_DENIED", /call udp\.setBroadcast\(true\) first/],
    [out, "EPERM", "PERMISSION_DENIED", /a firewall/],
    [six, "EACCES", "HOST_UNREACHABLE", /^a firewall/],
    [{ ...out, side: "local" }, "EMSGSIZE", "DATAGRAM_TOO_LARGE", /send less at once/],
    [out, "ENOBUFS", "NO_BUFFER_SPACE", /do less at once/],
    [out, "ENETUNREACH", "NETWORK_UNREACHABLE", /^no way to that network/],
    [out, "EHOSTUNREACH", "HOST_UNREACHABLE", /^no way to that host/],
    [out, "EADDRNOTAVAIL", "ADDRESS_NOT_AVAILABLE", /^this machine has no address from which/],
    [{ ...out, side: "remote" }, "ECONNREFUSED", "CONNECTION_REFUSED", earlier],
    [out, "EINVAL", "NETWORK_UNREACHABLE", /a route may drop it/],
    [{ ...out, local: "udp://127.0.0.1:7", side: "local" }, "EINVAL", "NETWORK_UNREACHABLE", loopback],
    [{ ...back, side: "remote" }, "ECONNREFUSED", "CONNECTION_REFUSED", earlier],
    [back, "EHOSTUNREACH", "HOST_UNREACHABLE", /^an earlier datagram/],
    [back, "ENETUNREACH", "NETWORK_UNREACHABLE", /^an earlier datagram/],
    [{ ...back, remote: "udp://[2001:db8::1]:9" }, "EACCES", "HOST_UNREACHABLE", /^a firewall/],
    [toAll, "EACCES", "PERMISSION_DENIED", /^a broadcast address cannot be `remote`/],
    [home, "EINVAL", "NETWORK_UNREACHABLE", loopback],
    [otherFamily, "EINVAL", "OPTION_INVALID", /both must be IPv4, or both IPv6$/],
  ]);
});

test("groups", () => {
  const joining = { op: "joinGroup", syscall: "addMembership", local: "udp://0.0.0.0:7" };
  const leaving = { op: "leaveGroup", syscall: "dropMembership", local: "udp://0.0.0.0:7" };
  const source = { ...joining, syscall: "addSourceSpecificMembership" };
  checkRows([
    [{ ...joining, side: "local" }, "EADDRINUSE", "ADDRESS_IN_USE", /is in that group already$/],
    [{ ...source, side: "local" }, "EADDRNOTAVAIL", "ADDRESS_IN_USE", /joined that group for that source already$/],
    [joining, "ENODEV", "ADDRESS_NOT_AVAILABLE", /^no interface of this machine can join/],
    [joining, "ENOBUFS", "NO_BUFFER_SPACE", /igmp_max_memberships/],
    [{ ...leaving, side: "local" }, "EADDRNOTAVAIL", "ADDRESS_NOT_AVAILABLE", /is not in that group/],
    [{ ...leaving, side: "local" }, "EINVAL", "ADDRESS_NOT_AVAILABLE", /is not in that group/],
    [{ ...joining, op: "setMulticastInterface" }, "EADDRNOTAVAIL", "ADDRESS_NOT_AVAILABLE", /interface/],
    [{ ...joining, ...usage }, "EINVAL", "OPTION_INVALID", /does not join that group/],
  ]);
});
