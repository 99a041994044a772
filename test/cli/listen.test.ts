import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import net from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { hasIpv6, serving, start } from "./program.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** A connection of `node:net` that collects what comes. */
class RawClient {
  readonly socket: net.Socket;
  readonly ended: Promise<string>;
  readonly #came: Buffer[] = [];

  constructor(t: TestContext, where: net.NetConnectOpts) {
    this.socket = net.connect({ allowHalfOpen: true, ...where });
    this.socket.on("data", (bytes) => this.#came.push(bytes));
    this.ended = once(this.socket, "end").then(() => Buffer.concat(this.#came).toString());
    this.ended.catch(() => undefined);
    t.after(() => this.socket.destroy());
  }

  /** Writes piece after piece, each in a segment of its own, then ends. */
  async say(...pieces: readonly (string | Buffer)[]): Promise<this> {
    this.socket.setNoDelay(true);
    for (const piece of pieces) await new Promise<unknown>((resolve) => this.socket.write(piece, resolve));
    this.socket.end();
    return this;
  }
}

test("listening on: port 0 is resolved, and many clients are served", async (t) => {
  const { address, port } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo"]);
  assert.match(address, /^tcp:\/\/127\.0\.0\.1:\d+$/);
  assert.notEqual(port, 0);
  const clients = await Promise.all(
    Array.from({ length: 20 }, (_client, index) => new RawClient(t, { port, host: "127.0.0.1" }).say(`n${index}`)),
  );
  assert.deepEqual(
    await Promise.all(clients.map((client) => client.ended)),
    Array.from({ length: 20 }, (_client, index) => `n${index}`),
  );
});

test("--reply upper: a letter that is cut between two segments", async (t) => {
  const { port } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "upper"]);
  const bytes = Buffer.from("ñandú €\n");
  const client = await new RawClient(t, { port, host: "127.0.0.1" }).say(
    ...Array.from(bytes, (byte) => Buffer.of(byte)),
  );
  assert.equal(await client.ended, "ÑANDÚ €\n");
});

test("--reply time, discard, chargen", async (t) => {
  const time = await serving(t, ["tcp://127.0.0.1:0", "--reply", "time"]);
  assert.match(await (await new RawClient(t, { port: time.port }).say()).ended, /^\d{4}-\d\d-\d\dT[\d:.]+Z\r\n$/);
  const discard = await serving(t, ["tcp://127.0.0.1:0", "--reply", "discard"]);
  assert.equal(await (await new RawClient(t, { port: discard.port }).say("x".repeat(100_000))).ended, "");
  const chargen = await serving(t, ["tcp://127.0.0.1:0", "--reply", "chargen"]);
  const client = net.connect(chargen.port);
  const [first] = (await once(client, "data")) as [Buffer];
  assert.ok(first.toString().startsWith(` !"#$%&'()*+`));
  client.destroy();
});

test("without --reply the first connection is joined to stdin and stdout, and the next finds nobody", async (t) => {
  const { server, port } = await serving(t, ["tcp://127.0.0.1:0"], { input: "from stdin\n" });
  const client = await new RawClient(t, { port }).say("to stdout\n");
  assert.equal(await client.ended, "from stdin\n");
  const { code, stdout } = await server.ended;
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "to stdout\n" });
  const late = net.connect(port);
  const [error] = (await once(late, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
});

test("a server without stdin takes all that comes", async (t) => {
  const { server, port } = await serving(t, ["tcp://127.0.0.1:0"], { input: null });
  const data = "0123456789".repeat(100_000);
  await new RawClient(t, { port }).say(data);
  const { code, stdout } = await server.ended;
  assert.equal(code, 0);
  assert.equal(stdout.length, data.length);
  assert.equal(stdout, data);
});

test("--keep-open: when the connection ends, the next one is joined", async (t) => {
  const { server, port } = await serving(t, ["tcp://127.0.0.1:0", "--keep-open"]);
  const first = await new RawClient(t, { port }).say("one\n");
  await server.shows(/one\n/);
  server.child.stdin.write("for nobody or the next\n");
  await first.ended;
  const second = new RawClient(t, { port });
  second.socket.write("two\n");
  await server.shows(/two\n/);
  second.socket.end();
  // One that breaks off does no harm.
  const third = new RawClient(t, { port });
  third.socket.on("error", () => undefined);
  third.socket.write("three\n");
  await server.shows(/three\n/);
  third.socket.resetAndDestroy();
  const fourth = new RawClient(t, { port });
  fourth.socket.write("four\n");
  await server.shows(/four\n/);
  server.child.kill("SIGINT");
  assert.equal((await server.ended).signal, "SIGINT");
});

test("--once serves one connection and ends", async (t) => {
  const { server, port } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo", "--once"]);
  const client = await new RawClient(t, { port }).say("only");
  assert.equal(await client.ended, "only");
  assert.equal((await server.ended).code, 0);
});

test("--hex shows what arrives as a dump", async (t) => {
  const { server, port } = await serving(t, ["tcp://127.0.0.1:0", "--hex"], { input: null });
  await new RawClient(t, { port }).say(Buffer.of(0, 0x41, 0xff));
  assert.match((await server.ended).stdout, /^00000000 {2}00 41 ff +\|\.A\.\|\n$/);
});

test("unix: the path is there while the server is, and a stale one is no obstacle", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "listener.sock");
  const crashed = await serving(t, [`unix:${path}`, "--reply", "echo"]);
  crashed.server.child.kill("SIGKILL");
  await crashed.server.ended;
  assert.ok(existsSync(path));
  const { server, address } = await serving(t, [`unix:${path}`, "--reply", "upper"]);
  assert.equal(address, `unix:${path}`);
  assert.equal(await (await new RawClient(t, { path }).say("hola")).ended, "HOLA");
  server.child.kill("SIGTERM");
  assert.equal((await server.ended).code, 0);
  assert.ok(!existsSync(path));
});

test("an address in use fails with one line", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo"]);
  const { code, stdout, stderr } = await start(t, ["listen", address, "--reply", "echo"], { input: null }).ended;
  assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
  assert.match(stderr, /^zocalo: ADDRESS_IN_USE tcp:\/\/127\.0\.0\.1:\d+: another program uses that address.*\n$/);
});

test("SIGINT, SIGTERM and SIGHUP: a server finishes and exits with 0, a transfer ends by the signal", async (t) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const { server, port } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo", "-v"]);
    const client = new RawClient(t, { port });
    client.socket.write("x");
    await once(client.socket, "data");
    server.child.kill(signal);
    // The end arrives as an end, not as a reset.
    assert.equal(await client.ended, "x");
    client.socket.end();
    const { code, stderr } = await server.ended;
    assert.equal(code, 0);
    assert.match(stderr, /^stopped: 1 connection finished, 0 cut$/m);

    const waiting = await serving(t, ["tcp://127.0.0.1:0"]);
    waiting.server.child.kill(signal);
    assert.equal((await waiting.server.ended).signal, signal);
  }
});

test("while a server finishes, Ctrl-C ends it at once; another SIGTERM does not", async (t) => {
  for (const [first, code] of [
    ["SIGTERM", 0],
    ["SIGINT", 130],
  ] as const) {
    const { server, port } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo"]);
    // It has the answer, and does not end its side: the server waits for it.
    const client = new RawClient(t, { port });
    client.socket.write("x");
    await once(client.socket, "data");
    server.child.kill(first);
    assert.equal(await client.ended, "x");
    // Those that come together with the first are the same key, which npx passes on.
    const pressing = setInterval(() => server.child.kill(first), 50);
    t.after(() => clearInterval(pressing));
    if (first === "SIGTERM") client.socket.end();
    assert.equal((await server.ended).code, code);
  }
});

test("-v tells addresses, family and the end; --json tells the same as events", async (t) => {
  const [host, family] = hasIpv6 ? ["[::1]", "IPv6"] : ["127.0.0.1", "IPv4"];
  const plain = await serving(t, [`tcp://${host}:0`, "--reply", "echo", "--once", "-v"]);
  const client = await new RawClient(t, { port: plain.port, host: host.replaceAll(/[[\]]/g, "") }).say("hola");
  await client.ended;
  const { stderr } = await plain.server.ended;
  const text = stderr.replaceAll(host, "HOST");
  assert.match(text, new RegExp(`^open: tcp://HOST:\\d+ with tcp://HOST:\\d+ \\(${family}\\)$`, "m"));
  assert.match(text, /^(closed|ended): tcp:\/\/HOST:\d+, 4 bytes received, 4 sent$/m);

  const json = start(t, ["listen", "tcp://127.0.0.1:0", "--reply", "echo", "--once", "--json"], { input: null });
  const [, address] = await json.tells(/"event":"listening","address":"(.*?)"/);
  await (await new RawClient(t, { port: Number(/\d+$/.exec(address ?? "")?.[0]) }).say("hola")).ended;
  const lines = (await json.ended).stderr.trim().split("\n");
  const events = lines.map((line) => (JSON.parse(line) as { readonly event: string }).event);
  assert.deepEqual(events, ["listening", "open", "close"]);
});
