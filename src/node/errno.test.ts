import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
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
  "listen accept connect bind read startTls send receive joinGroup leaveGroup setBroadcast setTtl setMulticastTtl setMulticastLoopback setMulticastInterface bufferSizes resolve".split(
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

const folder = mkdtempSync(join(tmpdir(), "zocalo-errno-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const plainFile = join(folder, "file");
writeFileSync(plainFile, "");

/** What the system said at which call, between which addresses, and what the error then is. */
interface Row {
  readonly op: string;
  readonly syscall?: string;
  readonly errno: string;
  readonly local?: string;
  readonly remote?: string;
  readonly code: ErrorCode;
  readonly side?: ErrorSide;
  readonly type?: typeof ZocaloError | typeof ConnectError;
  readonly says: RegExp;
}

function checkRows(rows: readonly Row[]): void {
  for (const { op, syscall = op, errno, local, remote, code, side = "system", type = ZocaloError, says } of rows) {
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
    {
      ...tcp,
      errno: "EADDRINUSE",
      code: "ADDRESS_IN_USE",
      says: /^another program uses that address, or this one does/,
    },
    {
      ...udp,
      errno: "EADDRINUSE",
      code: "ADDRESS_IN_USE",
      says: /^another program uses that address, or this one does/,
    },
    { ...any, errno: "EADDRINUSE", code: "ADDRESS_IN_USE", says: /^no free local port/ },
    { ...udp, local: "udp://[::]:0", errno: "EADDRINUSE", code: "ADDRESS_IN_USE", says: /^no free local port/ },
    { ...tcp, errno: "EACCES", code: "PERMISSION_DENIED", says: /^ports below 1024 need rights/ },
    { ...udp, errno: "EACCES", code: "PERMISSION_DENIED", says: /^ports below 1024 need rights/ },
    { ...any, errno: "EACCES", code: "PERMISSION_DENIED", says: /^a rule of this machine/ },
    { ...path, errno: "EACCES", code: "PERMISSION_DENIED", says: /may not make a file in that folder/ },
    { ...path, errno: "EPERM", code: "PERMISSION_DENIED", says: /may not make a file in that folder/ },
    { ...path, errno: "ENOENT", code: "PATH_NOT_FOUND", says: /^the folder of that path does not exist/ },
    { ...path, errno: "ENOTDIR", code: "PATH_NOT_FOUND", says: /^the folder of that path does not exist/ },
    { ...tcp, errno: "EADDRNOTAVAIL", code: "ADDRESS_NOT_AVAILABLE", says: /^this machine has no such address/ },
    { ...tcp, errno: "EAFNOSUPPORT", code: "ADDRESS_NOT_AVAILABLE", says: /no IPv6/ },
    { ...tcp, errno: "ENOBUFS", code: "NO_BUFFER_SPACE", says: /another socket/ },
    { ...udp, errno: "ENOMEM", code: "NO_BUFFER_SPACE", says: /another socket/ },
    { ...tcp, errno: "EMFILE", code: "TOO_MANY_OPEN_FILES", says: /ulimit/ },
    { op: "accept", local: "tcp://127.0.0.1:80", errno: "ENFILE", code: "TOO_MANY_OPEN_FILES", says: /ulimit/ },
    { op: "accept", local: "unix:/run/x.sock", errno: "ENOMEM", code: "NO_BUFFER_SPACE", says: /another socket/ },
  ]);
  const usage = { code: "OPTION_INVALID", side: "local", type: UsageError } as const;
  checkRows([
    { ...tcp, ...usage, errno: "EINVAL", says: /^a server cannot have that address/ },
    { ...udp, ...usage, errno: "EINVAL", says: /^a datagram socket cannot have that address/ },
  ]);
});

test("a connection that is not made", () => {
  const call = { op: "connect", remote: "tcp://203.0.113.1:80", type: ConnectError } as const;
  const six = { ...call, remote: "tcp://[2001:db8::1]:80" } as const;
  const path = { ...call, remote: "unix:/run/x.sock" } as const;
  const own = "tcp://127.0.0.1:0";
  const other = { ...call, local: "tcp://192.0.2.1:0" } as const;
  checkRows([
    { ...call, errno: "ECONNREFUSED", side: "remote", code: "CONNECTION_REFUSED", says: /^nothing listens there/ },
    { ...call, errno: "ECONNRESET", side: "remote", code: "CONNECTION_RESET", says: /before it was made/ },
    { ...call, errno: "ETIMEDOUT", code: "CONNECTION_TIMED_OUT", says: /^no answer came/ },
    { ...call, errno: "EHOSTUNREACH", code: "HOST_UNREACHABLE", says: /^no way to that host/ },
    { ...call, errno: "ENETUNREACH", code: "NETWORK_UNREACHABLE", says: /^no way to that network/ },
    { ...call, errno: "EADDRNOTAVAIL", code: "ADDRESS_NOT_AVAILABLE", says: /^no free local port/ },
    { ...other, errno: "EADDRNOTAVAIL", code: "ADDRESS_NOT_AVAILABLE", says: /^no free local port/ },
    {
      ...other,
      syscall: "bind",
      errno: "EADDRNOTAVAIL",
      code: "ADDRESS_NOT_AVAILABLE",
      says: /^localAddress is not an address of this machine/,
    },
    {
      ...call,
      local: "tcp://192.0.2.1:7",
      errno: "EADDRNOTAVAIL",
      code: "ADDRESS_NOT_AVAILABLE",
      says: /^these two addresses have a connection/,
    },
    { ...other, errno: "EADDRINUSE", code: "ADDRESS_NOT_AVAILABLE", says: /^no free local port/ },
    {
      ...call,
      local: "tcp://192.0.2.1:7",
      syscall: "bind",
      errno: "EADDRINUSE",
      code: "ADDRESS_IN_USE",
      says: /^another socket has the own address/,
    },
    { ...call, errno: "EACCES", code: "PERMISSION_DENIED", says: /^a firewall or another rule of this machine/ },
    { ...call, errno: "EPERM", code: "PERMISSION_DENIED", says: /^a firewall or another rule of this machine/ },
    { ...six, errno: "EACCES", code: "HOST_UNREACHABLE", says: /^a firewall/ },
    { ...six, errno: "EPERM", code: "PERMISSION_DENIED", says: /^a firewall or another rule of this machine/ },
    { ...call, errno: "ENOBUFS", code: "NO_BUFFER_SPACE", says: /another socket/ },
    {
      ...call,
      local: own,
      errno: "EINVAL",
      side: "local",
      code: "NETWORK_UNREACHABLE",
      says: /from a loopback address/,
    },
    { ...call, errno: "EINVAL", code: "NETWORK_UNREACHABLE", says: /a route may drop it/ },
    {
      ...call,
      remote: "tcp://239.1.2.3:80",
      errno: "ENETUNREACH",
      side: "local",
      code: "NETWORK_UNREACHABLE",
      says: /^a connection has one peer/,
    },
    { ...path, errno: "ENOENT", code: "PATH_NOT_FOUND", says: /^there is no such path/ },
    { ...path, errno: "EACCES", code: "PERMISSION_DENIED", says: /may not use that socket file/ },
    { ...path, errno: "EAGAIN", side: "remote", code: "CONNECTION_REFUSED", says: /^the queue of the server is full/ },
    {
      ...path,
      errno: "EPROTOTYPE",
      side: "remote",
      code: "CONNECTION_REFUSED",
      says: /for datagrams, not for connections/,
    },
    { ...path, errno: "ECONNREFUSED", side: "remote", code: "CONNECTION_REFUSED", says: /^nothing listens there/ },
    {
      ...path,
      remote: `unix:${plainFile}`,
      errno: "ECONNREFUSED",
      side: "remote",
      code: "CONNECTION_REFUSED",
      says: /is no socket/,
    },
  ]);
  checkRows([
    {
      ...call,
      local: "tcp://[::1]:0",
      syscall: "bind",
      errno: "EINVAL",
      code: "OPTION_INVALID",
      side: "local",
      type: UsageError,
      says: /both must be IPv4, or both IPv6$/,
    },
  ]);
});

test("a machine without IPv6 has no port for it either", (t) => {
  const call = { op: "connect", remote: "tcp://[::1]:80", errno: "EADDRNOTAVAIL", type: ConnectError } as const;
  const lo = { address: "127.0.0.1", family: "IPv4", internal: true } as os.NetworkInterfaceInfo;
  const has = t.mock.method(os, "networkInterfaces", () => ({ lo: [lo] }));
  checkRows([{ ...call, code: "ADDRESS_NOT_AVAILABLE", says: /^this machine has no IPv6 address/ }]);
  has.mock.mockImplementation(() => ({ lo: [{ ...lo, family: "IPv6", address: "::1" } as os.NetworkInterfaceInfo] }));
  checkRows([{ ...call, code: "ADDRESS_NOT_AVAILABLE", says: /^no free local port/ }]);
});

test("a datagram that is not sent, and what an earlier one met", () => {
  const out = { op: "send", local: "udp://0.0.0.0:7", remote: "udp://203.0.113.1:9" };
  const six = { op: "send", local: "udp://[::]:7", remote: "udp://[2001:db8::1]:9" };
  const back = { op: "receive", local: "udp://127.0.0.1:7", remote: "udp://127.0.0.1:9" };
  checkRows([
    { ...out, errno: "EACCES", code: "PERMISSION_DENIED", says: /call udp\.setBroadcast\(true\) first/ },
    { ...out, errno: "EPERM", code: "PERMISSION_DENIED", says: /a firewall/ },
    { ...six, errno: "EACCES", code: "HOST_UNREACHABLE", says: /^a firewall/ },
    { ...out, errno: "EMSGSIZE", side: "local", code: "DATAGRAM_TOO_LARGE", says: /send less at once/ },
    { ...out, errno: "ENOBUFS", code: "NO_BUFFER_SPACE", says: /do less at once/ },
    { ...out, errno: "ENETUNREACH", code: "NETWORK_UNREACHABLE", says: /^no way to that network/ },
    { ...out, errno: "EHOSTUNREACH", code: "HOST_UNREACHABLE", says: /^no way to that host/ },
    { ...out, errno: "EADDRNOTAVAIL", code: "ADDRESS_NOT_AVAILABLE", says: /^this machine has no address from which/ },
    {
      ...out,
      errno: "ECONNREFUSED",
      side: "remote",
      code: "CONNECTION_REFUSED",
      says: /^nothing listens there: that host refused an earlier/,
    },
    { ...out, errno: "EINVAL", code: "NETWORK_UNREACHABLE", says: /a route may drop it/ },
    {
      ...out,
      local: "udp://127.0.0.1:7",
      errno: "EINVAL",
      side: "local",
      code: "NETWORK_UNREACHABLE",
      says: /^no way there from a loopback address/,
    },
    {
      ...back,
      errno: "ECONNREFUSED",
      side: "remote",
      code: "CONNECTION_REFUSED",
      says: /^nothing listens there: that host refused an earlier/,
    },
    { ...back, errno: "EHOSTUNREACH", code: "HOST_UNREACHABLE", says: /^an earlier datagram/ },
    { ...back, errno: "ENETUNREACH", code: "NETWORK_UNREACHABLE", says: /^an earlier datagram/ },
    {
      ...back,
      remote: "udp://[2001:db8::1]:9",
      errno: "EACCES",
      code: "HOST_UNREACHABLE",
      says: /^a firewall/,
    },
    {
      op: "bind",
      syscall: "connect",
      local: "udp://0.0.0.0:0",
      remote: "udp://255.255.255.255:9",
      errno: "EACCES",
      code: "PERMISSION_DENIED",
      says: /^a broadcast address cannot be `remote`/,
    },
    {
      op: "bind",
      syscall: "connect",
      local: "udp://127.0.0.1:0",
      remote: "udp://203.0.113.1:9",
      errno: "EINVAL",
      side: "local",
      code: "NETWORK_UNREACHABLE",
      says: /^no way there from a loopback address/,
    },
  ]);
  checkRows([
    {
      ...out,
      remote: "udp://[::1]:9",
      errno: "EINVAL",
      side: "local",
      code: "OPTION_INVALID",
      type: UsageError,
      says: /both must be IPv4, or both IPv6$/,
    },
  ]);
});

test("groups", () => {
  const joining = { op: "joinGroup", syscall: "addMembership", local: "udp://0.0.0.0:7" };
  const leaving = { op: "leaveGroup", syscall: "dropMembership", local: "udp://0.0.0.0:7" };
  const source = { ...joining, syscall: "addSourceSpecificMembership" };
  checkRows([
    { ...joining, errno: "EADDRINUSE", side: "local", code: "ADDRESS_IN_USE", says: /is in that group already$/ },
    {
      ...source,
      errno: "EADDRNOTAVAIL",
      side: "local",
      code: "ADDRESS_IN_USE",
      says: /joined that group for that source already$/,
    },
    { ...joining, errno: "ENODEV", code: "ADDRESS_NOT_AVAILABLE", says: /^no interface of this machine can join/ },
    { ...joining, errno: "ENOBUFS", code: "NO_BUFFER_SPACE", says: /igmp_max_memberships/ },
    { ...leaving, errno: "EADDRNOTAVAIL", side: "local", code: "ADDRESS_NOT_AVAILABLE", says: /is not in that group/ },
    { ...leaving, errno: "EINVAL", side: "local", code: "ADDRESS_NOT_AVAILABLE", says: /is not in that group/ },
    {
      ...joining,
      op: "setMulticastInterface",
      errno: "EADDRNOTAVAIL",
      code: "ADDRESS_NOT_AVAILABLE",
      says: /interface/,
    },
  ]);
  checkRows([
    {
      ...joining,
      errno: "EINVAL",
      side: "local",
      code: "OPTION_INVALID",
      type: UsageError,
      says: /does not join that group/,
    },
  ]);
});
