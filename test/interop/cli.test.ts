/** The command against programs that nobody here wrote. A test whose program is not installed is skipped. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { testCertificates } from "../fixtures/certificates.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { hasIpv6, run, RunningProgram, serving, start, type StartOptions } from "../cli/program.ts";

/** Why a test with this program cannot run; false when it can. */
function missing(program: string): string | false {
  const found = spawnSync("/bin/sh", ["-c", `command -v ${program}`]).status === 0;
  return found ? false : `${program} is not installed`;
}

/** There are several programs called nc; the options below are those of OpenBSD's. */
function missingNc(): string | false {
  const { stderr } = spawnSync("nc", ["-h"], { encoding: "utf8" });
  return (stderr ?? "").startsWith("OpenBSD netcat") ? false : "nc of OpenBSD is not installed";
}

function other(t: TestContext, command: string, args: readonly string[], options: StartOptions = {}): RunningProgram {
  return new RunningProgram(t, command, args, options);
}

async function certificateFiles(t: TestContext): Promise<{ ca: string; cert: string; key: string }> {
  const folder = temporaryFolder(t);
  const { authority, server } = await testCertificates();
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([writeFile(ca, authority.cert), writeFile(cert, server.cert), writeFile(key, server.key)]);
  return { ca, cert, key };
}

const TEXT = "ñandú\n".repeat(20_000);

describe("nc", { skip: missingNc() }, () => {
  test("calls a server", async (t) => {
    const { port } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "upper"]);
    const { code, stdout } = await other(t, "nc", ["-N", "127.0.0.1", String(port)], { input: TEXT }).ended;
    assert.equal(code, 0);
    assert.ok(stdout === TEXT.toUpperCase());
  });

  test("is called", async (t) => {
    const nc = other(t, "nc", ["-lnvN", "127.0.0.1", "0"], { input: "from nc\n" });
    const [, port] = await nc.tells(/^Listening on \S+ (\d+)$/m);
    const { code, stdout } = await run(t, ["connect", `tcp://127.0.0.1:${port}`], { input: "from zocalo\n" });
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "from nc\n" });
    assert.equal((await nc.ended).stdout, "from zocalo\n");
  });

  test("talks with a joined server", async (t) => {
    const { server, port } = await serving(t, ["tcp://127.0.0.1:0"]);
    const nc = other(t, "nc", ["-N", "127.0.0.1", String(port)]);
    nc.child.stdin.write("hola\n");
    await server.shows(/^hola\n$/);
    server.child.stdin.write("adiós\n");
    await nc.shows(/^adiós\n$/);
    nc.child.stdin.end();
    server.child.stdin.end();
    assert.equal((await server.ended).code, 0);
    assert.equal((await nc.ended).code, 0);
  });

  test("asks a datagram socket, and hears the stdin of one", async (t) => {
    const service = await serving(t, ["udp://127.0.0.1:0", "--reply", "upper"]);
    const asking = other(t, "nc", ["-u", "127.0.0.1", String(service.port)]);
    asking.child.stdin.write("hola\n");
    await asking.shows(/^HOLA\n$/);
    const { server, port } = await serving(t, ["udp://127.0.0.1:0"]);
    const nc = other(t, "nc", ["-u", "127.0.0.1", String(port)]);
    nc.child.stdin.write("hola\n");
    await server.shows(/^hola\n$/);
    server.child.stdin.write("adiós\n");
    await nc.shows(/^adiós\n$/);
  });
});

describe("ncat", { skip: missing("ncat") }, () => {
  test("calls a server over TLS, checking its certificate", async (t) => {
    const { ca, cert, key } = await certificateFiles(t);
    const { port } = await serving(t, ["tls://127.0.0.1:0", "--cert", cert, "--key", key, "--reply", "upper"]);
    const args = ["-4", "--ssl-verify", "--ssl-trustfile", ca, "localhost", String(port)];
    const ncat = other(t, "ncat", args);
    ncat.child.stdin.write("hola\n");
    await ncat.shows(/^HOLA\n$/);
  });

  test("calls a Unix socket", async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "listener.sock");
    await serving(t, [`unix:${path}`, "--reply", "upper"]);
    const ncat = other(t, "ncat", ["-U", path]);
    ncat.child.stdin.write("hola\n");
    await ncat.shows(/^HOLA\n$/);
  });

  test("is called by send", async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "listener.sock");
    other(t, "ncat", ["-lkU", path, "--exec", "/bin/cat"]);
    const { code, stdout } = await run(t, ["send", `unix:${path}`, "hola", "--wait-for-server", "30000"]);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "hola\n" });
  });
});

describe("socat", { skip: missing("socat") }, () => {
  test("calls a server, over IPv6 too", async (t) => {
    for (const host of hasIpv6 ? ["127.0.0.1", "[::1]"] : ["127.0.0.1"]) {
      const { port } = await serving(t, [`tcp://${host}:0`, "--reply", "upper"]);
      // -t: wait for the answer behind the end of stdin.
      const { stdout } = await other(t, "socat", ["-t", "30", "-", `TCP:${host}:${port}`], { input: TEXT }).ended;
      assert.ok(stdout === TEXT.toUpperCase());
    }
  });

  test("is called", async (t) => {
    const socat = other(t, "socat", ["-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1", "EXEC:cat"]);
    const [, port] = await socat.tells(/listening on AF=2 127\.0\.0\.1:(\d+)/);
    const { code, stdout } = await run(t, ["connect", `tcp://127.0.0.1:${port}`], { input: TEXT });
    assert.equal(code, 0);
    assert.ok(stdout === TEXT);
  });

  test("sends a datagram and takes the answer", async (t) => {
    const { port } = await serving(t, ["udp://127.0.0.1:0", "--reply", "upper"]);
    const socat = other(t, "socat", ["-", `UDP:127.0.0.1:${port}`]);
    socat.child.stdin.write("hola\n");
    await socat.shows(/^HOLA\n$/);
  });
});

describe("openssl", { skip: missing("openssl") }, () => {
  test("s_client calls a server and trusts its authority", async (t) => {
    const { ca, cert, key } = await certificateFiles(t);
    const tls = ["--cert", cert, "--key", key, "--alpn", "plaza"];
    const { port } = await serving(t, ["tls://127.0.0.1:0", ...tls, "--reply", "upper"]);
    const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", ca, "-verify_return_error", "-alpn", "plaza"];
    const client = other(t, "openssl", args);
    await client.shows(/ALPN protocol: plaza/);
    client.child.stdin.write("hola\n");
    await client.shows(/^HOLA$/m);
    await client.shows(/Verify return code: 0 \(ok\)/);
  });

  test("s_server is called", async (t) => {
    const { ca, cert, key } = await certificateFiles(t);
    const server = other(t, "openssl", ["s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key, "-rev"]);
    const [, port] = await server.shows(/^ACCEPT 127\.0\.0\.1:(\d+)/m);
    const { code, stdout } = await run(t, ["send", `tls://127.0.0.1:${port}`, "hola", "--ca", ca]);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "aloh\n" });
  });
});

describe("gnutls-cli", { skip: missing("gnutls-cli") }, () => {
  test("calls a server and trusts its authority", async (t) => {
    const { ca, cert, key } = await certificateFiles(t);
    const { port } = await serving(t, ["tls://127.0.0.1:0", "--cert", cert, "--key", key, "--reply", "upper"]);
    const client = other(t, "gnutls-cli", ["-p", String(port), `--x509cafile=${ca}`, "localhost"]);
    await client.shows(/Handshake was completed/);
    client.child.stdin.write("hola\n");
    await client.shows(/^HOLA$/m);
    await client.shows(/The certificate is trusted/);
  });
});

describe("python3", { skip: missing("python3") }, () => {
  test("calls a server and shuts down its side", async (t) => {
    const { port } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "upper"]);
    const script = `
import socket, sys
with socket.create_connection(("127.0.0.1", ${port})) as call:
    call.sendall(b"hola" * 10000)
    call.shutdown(socket.SHUT_WR)
    answer = b""
    while part := call.recv(4096): answer += part
    sys.stdout.buffer.write(answer)
`;
    const { stdout } = await other(t, "python3", ["-c", script]).ended;
    assert.ok(stdout === "HOLA".repeat(10_000));
  });

  test("a server that resets is told as a reset", async (t) => {
    const script = `
import socket, struct, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], file=sys.stderr, flush=True)
peer, _ = listener.accept()
peer.recv(1)
peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
peer.close()
`;
    const server = other(t, "python3", ["-c", script]);
    const [port] = await server.tells(/\d+/);
    const client = start(t, ["connect", `tcp://127.0.0.1:${port}`]);
    client.child.stdin.write("x");
    const { code, stderr } = await client.ended;
    assert.equal(code, 1);
    assert.match(stderr, /^zocalo: CONNECTION_RESET /);
  });

  test("a datagram socket that answers from Python", async (t) => {
    const script = `
import socket, sys
box = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
box.bind(("127.0.0.1", 0))
print(box.getsockname()[1], file=sys.stderr, flush=True)
while True:
    data, sender = box.recvfrom(65535)
    box.sendto(data[::-1], sender)
`;
    const [port] = await other(t, "python3", ["-c", script]).tells(/\d+/);
    const { code, stdout } = await run(t, ["send", `udp://127.0.0.1:${port}`, "hola", "adios"]);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "aloh\nsoida\n" });
  });
});
