import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { spawn } from "node:child_process";
import net from "node:net";
import { test, type TestContext } from "node:test";
import { PROGRAM, run, serving, start } from "./program.ts";
import { gate } from "../fixtures/gate.ts";
import { portOf } from "../fixtures/port-of.ts";

/** A server of `node:net`; answers its address. */
async function rawServer(t: TestContext, onConnection: (socket: net.Socket) => void): Promise<string> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  return `tcp://127.0.0.1:${await portOf(server)}`;
}

/** Everything that a peer sends, up to its end. */
async function textOf(socket: net.Socket): Promise<string> {
  const came: Buffer[] = [];
  socket.on("data", (bytes) => came.push(bytes));
  await once(socket, "end");
  return Buffer.concat(came).toString();
}

test("stdin goes to the server, its end half-closes, and the answer still comes", async (t) => {
  const address = await rawServer(t, (socket) => {
    void textOf(socket).then((text) => socket.end(`you said ${text}`));
  });
  const { code, stdout, stderr } = await run(t, ["connect", address], { input: "hola\n" });
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "you said hola\n", stderr: "" });
});

test("it ends when the server ends, although stdin is open", async (t) => {
  const address = await rawServer(t, (socket) => socket.end("bye\n"));
  const { code, stdout } = await start(t, ["connect", address]).ended;
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "bye\n" });
});

test("a server that ends its side at once still gets all of stdin", async (t) => {
  const data = "0123456789".repeat(200_000);
  const { open: arrived, opened: received } = gate<string>();
  const address = await rawServer(t, (socket) => {
    socket.end();
    void textOf(socket).then(arrived);
  });
  const { code } = await run(t, ["connect", address], { input: data });
  assert.equal(code, 0);
  assert.equal((await received).length, data.length);
});

test("much data both ways arrives whole", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo"]);
  const data = Buffer.alloc(5_000_000, "abcdefghijk");
  const { code, stdout } = await run(t, ["connect", address], { input: data });
  assert.equal(code, 0);
  assert.ok(Buffer.from(stdout).equals(data));
});

test("a closed stdin and /dev/null are empty", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "time"]);
  for (const redirection of ["< /dev/null", "<&-"]) {
    const child = spawn("/bin/sh", ["-c", `"$0" "$1" connect ${address} ${redirection}`, process.execPath, PROGRAM]);
    t.after(() => child.kill("SIGKILL"));
    const [[bytes], [code]] = (await Promise.all([once(child.stdout, "data"), once(child, "close")])) as [
      [Buffer],
      [number],
    ];
    assert.match(bytes.toString(), /^\d{4}-/);
    assert.equal(code, 0);
  }
});

test("when nobody reads stdout any more it ends, and says nothing (EPIPE)", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "chargen"]);
  const client = start(t, ["connect", address], { input: null });
  await client.shows(/^ !"#/);
  client.child.stdout.destroy();
  const { code, stderr } = await client.ended;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
});

test("nothing listens there: exit code 1 and one line that says what to do", async (t) => {
  const address = await rawServer(t, () => undefined);
  const { port } = new URL(address);
  const gone = net.createServer().listen(0, "127.0.0.1");
  const free = await portOf(gone);
  gone.close();
  await once(gone, "close");
  assert.notEqual(free, Number(port));
  const { code, stdout, stderr } = await run(t, ["connect", `tcp://127.0.0.1:${free}`]);
  assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
  assert.equal(
    stderr,
    `zocalo: CONNECTION_REFUSED tcp://127.0.0.1:${free}: nothing listens there; start the server first, or check the address and the port\n`,
  );
  const missing = await run(t, ["connect", "unix:/no/such/listener.sock"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^zocalo: PATH_NOT_FOUND unix:\/no\/such\/listener\.sock: there is no such path/);
});

test("a reset fails, behind what had arrived", async (t) => {
  const address = await rawServer(t, (socket) => {
    socket.write("before\n");
    socket.once("data", () => socket.resetAndDestroy());
  });
  const client = start(t, ["connect", address]);
  await client.shows(/before\n/);
  client.child.stdin.write("x");
  const { code, stderr } = await client.ended;
  assert.equal(code, 1);
  assert.match(stderr, /^zocalo: CONNECTION_RESET tcp:\/\/127\.0\.0\.1:\d+: the peer reset the connection.*\n$/);
});

test("--wait-for-server waits until the server is up, and gives up in time", async (t) => {
  const server = net.createServer((socket) => socket.end("up\n")).listen(0, "127.0.0.1");
  const port = await portOf(server);
  server.close();
  await once(server, "close");
  const client = start(t, ["connect", `tcp://127.0.0.1:${port}`, "--wait-for-server", "60000", "-v"], { input: null });
  await once(client.child, "spawn");
  server.listen(port, "127.0.0.1");
  t.after(() => server.close());
  const { code, stdout } = await client.ended;
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "up\n" });
  const late = await run(t, ["connect", "unix:/no/such/listener.sock", "--wait-for-server", "50"]);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /PATH_NOT_FOUND/);
});

test("--timeout bounds the making of a connection", async (t) => {
  // A TLS handshake that is never answered.
  const address = await rawServer(t, () => undefined);
  const { code, stderr } = await run(t, ["connect", address.replace("tcp:", "tls:"), "--timeout", "50"]);
  assert.equal(code, 1);
  assert.match(stderr, /^zocalo: TIMEOUT tls:\/\/\S+: not finished within 50 ms/);
});

test("--crlf and --hex", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo"]);
  const { stdout } = await run(t, ["connect", address, "--crlf", "--hex"], { input: "a\nb\r\n" });
  assert.equal(
    stdout
      .replaceAll(/^\S+ {2}| +\|.*$/gm, "")
      .replaceAll(/\s+/g, " ")
      .trim(),
    "61 0d 0a 62 0d 0a",
  );
});

test("an interrupted transfer ends the connection, and the command by the signal", async (t) => {
  const { open: ended, opened: peerSawEnd } = gate();
  const address = await rawServer(t, (socket) => {
    socket.write("x");
    socket.resume().on("end", () => {
      ended();
      socket.end();
    });
  });
  const client = start(t, ["connect", address]);
  await client.shows(/x/);
  client.child.kill("SIGINT");
  await peerSawEnd;
  const { code, signal, stderr } = await client.ended;
  assert.deepEqual({ code, signal, stderr }, { code: null, signal: "SIGINT", stderr: "" });
});

test("a full disk is told", { skip: process.platform !== "linux" && "needs /dev/full" }, async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "time"]);
  const full = openSync("/dev/full", "w");
  const child = spawn(process.execPath, [PROGRAM, "connect", address], { stdio: ["ignore", full, "pipe"] });
  closeSync(full);
  t.after(() => child.kill("SIGKILL"));
  const told = child.stderr as NonNullable<typeof child.stderr>;
  const [[bytes], [code]] = (await Promise.all([once(told, "data"), once(child, "close")])) as [[Buffer], [number]];
  assert.match(bytes.toString(), /^zocalo: SYSTEM_ERROR: stdout cannot be written \(ENOSPC\)\n$/);
  assert.equal(code, 1);
});
