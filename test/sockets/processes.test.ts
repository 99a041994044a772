/** What keeps a process alive, and what takes it down: each program here is a process of its own. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { connect } from "../../src/index.ts";
import { textToEnd } from "../../src/testing/stream/check.ts";
import { testCertificates } from "../fixtures/certificates.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { portOf } from "../fixtures/port-of.ts";

const folder = temporaryFolder();

const posix = { skip: process.platform === "win32" };
const { authority, server: identity } = await testCertificates();

const INDEX = JSON.stringify(new URL("../../src/index.js", import.meta.url).href);
const PROTOCOL = JSON.stringify(new URL("../../src/protocol.js", import.meta.url).href);
const PRELUDE = `
  import { bind, connect, listen, pair, relay, serve, serveDatagrams } from ${INDEX};
  import net from "node:net";
  const tls = ${JSON.stringify({ ...identity, ca: authority.cert, servername: "localhost" })};
  const optionsOf = (address) => (String(address).startsWith("tls:") ? { tls } : {});
  // Anything that nobody caught is a failure with a code of its own.
  process.on("unhandledRejection", (reason) => { console.error(reason); process.exit(70); });
  const connected = async (address, options = {}) => {
    const listener = await listen(address, optionsOf(address));
    const both = await Promise.all([connect(listener.localAddress, optionsOf(address)), listener.accept()]);
    await listener.close();
    return both;
  };
`;

type Stdio = readonly (number | "ignore" | "inherit" | "pipe")[];

function start(program: string, more: Stdio = []) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", PRELUDE + program], {
    stdio: ["ignore", "pipe", "inherit", ...more],
  });
  const output: Buffer[] = [];
  const exited = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const { stdout } = child;
  assert.ok(stdout !== null);
  stdout.on("data", (bytes: Buffer) => output.push(bytes));
  const text = (): string => Buffer.concat(output).toString();
  return {
    child,
    text,
    /** The first line that it prints. */
    async firstLine(): Promise<string> {
      while (!text().includes("\n"))
        await Promise.race([once(stdout, "data"), exited.then(() => assert.fail("ended"))]);
      return text().split("\n")[0] ?? "";
    },
    exited,
  };
}

/** Runs a program that must end by itself, with nothing that nobody caught. */
async function ends(program: string): Promise<string> {
  const { exited, text } = start(program);
  assert.deepEqual(await exited, [0, null], text());
  return text();
}

const KINDS: Readonly<Record<string, string>> = {
  tcp: "tcp://127.0.0.1:0",
  tls: "tls://127.0.0.1:0",
  ...(process.platform === "win32" ? {} : { unix: `unix:${folder}/NAME.sock` }),
};
let names = 0;
const kinds = Object.entries(KINDS).map(([name, address]) => {
  return [name, () => JSON.stringify(address.replace("NAME", `${name}${(names += 1)}`))] as const;
});

for (const [name, address] of kinds) {
  test(`${name}: unref of everything lets the process end`, async () => {
    await ends(`
      const listener = await listen(${address()}, optionsOf(${address()}));
      const server = await serve(${address()}, (peer) => { peer.interop.unref(); return peer.read(); }, optionsOf(${address()}));
      const [call, peer] = await Promise.all([connect(listener.localAddress, optionsOf(listener.localAddress)), listener.accept()]);
      const served = await connect(server.localAddress, optionsOf(server.localAddress));
      while (server.peers.size === 0) await new Promise((resolve) => setImmediate(resolve));
      for (const one of [listener, server, call, peer, served]) one.interop.unref();
      for (const one of [call, peer, served]) one.read().catch(() => undefined);
      listener.accept().catch(() => undefined);
    `);
  });

  for (const held of ["listener", "call", "peer", "server"]) {
    test(`${name}: one ${held} that is referenced again keeps it alive until it is closed`, posix, async () => {
      const program = start(`
        const listener = await listen(${address()}, optionsOf(${address()}));
        const server = await serve(${address()}, () => undefined, optionsOf(${address()}));
        const [call, peer] = await Promise.all([connect(listener.localAddress, optionsOf(listener.localAddress)), listener.accept()]);
        for (const one of [listener, server, call, peer]) one.interop.unref();
        ${held}.interop.ref();
        process.on("SIGUSR2", () => { process.exitCode = 7; if (${held}.abort) ${held}.abort(); else void ${held}.close(); });
        console.log("ready");
      `);
      await program.firstLine();
      program.child.kill("SIGUSR2");
      assert.deepEqual(await program.exited, [7, null]);
    });
  }

  test(`${name}: abort right behind end, in every order, leaves nothing open`, async () => {
    await ends(`
      for (const leave of [
        (one) => { one.end().catch(() => undefined); one.abort(); },
        async (one) => { await one.end(); one.abort(); },
        (one) => { one.write("x").catch(() => undefined); one.end().catch(() => undefined); one.abort(); },
        (one) => { one.write(Buffer.alloc(8_000_000)).catch(() => undefined); one.end().catch(() => undefined); one.abort(); },
        (one) => { one.close().catch(() => undefined); one.abort(); },
        (one) => { one.write(Buffer.alloc(8_000_000)).catch(() => undefined); one.close().catch(() => undefined); one.abort(); },
        (one) => { one.abort(); one.end().catch(() => undefined); one.close().catch(() => undefined); },
        (one) => { setImmediate(() => one.abort()); one.end().catch(() => undefined); },
        (one) => { one.interop.readable.cancel().catch(() => undefined); one.end().catch(() => undefined); },
        (one) => { one.interop.toNodeStream().on("error", () => undefined).end("x").destroy(new Error("gone")); },
        (one) => { one.interop.toNodeStream().end("x").destroy(); },
      ]) {
        for (const side of [0, 1]) {
          const both = await connected(${address()});
          await leave(both[side]);
          both[1 - side].abort();
          await Promise.all(both.map((one) => one.closed));
        }
      }
      console.log("done");
    `);
  });

  test(`${name}: close of both ends, and of a server in the middle of everything, leaves nothing open`, async () => {
    await ends(`
      const both = await connected(${address()});
      await Promise.all(both.map((one) => one.close()));
      const server = await serve(${address()}, async (peer) => {
        for await (const bytes of peer) await peer.write(bytes);
      }, { ...optionsOf(${address()}), timeouts: { idleMs: 1_000_000, lifetimeMs: 1_000_000, writeStallMs: 1_000_000 }, onError: () => undefined });
      const calls = await Promise.all(Array.from({ length: 20 }, () => connect(server.localAddress, optionsOf(server.localAddress))));
      for (const call of calls) call.write(Buffer.alloc(8_000_000)).catch(() => undefined);
      await calls[0].readExactly(1);
      await server.close({ timeoutMs: 0 });
      await Promise.all(calls.map((call) => call.closed));
    `);
  });
}

test("datagram sockets: unref lets the process end, ref keeps it until close", posix, async () => {
  await ends(`
    const box = await bind("udp://127.0.0.1:0");
    const server = await serveDatagrams("udp://127.0.0.1:0", () => undefined);
    box.interop.unref();
    server.interop.unref();
    box.receive().catch(() => undefined);
  `);
  for (const held of ["box", "server"]) {
    const program = start(`
      const box = await bind("udp://127.0.0.1:0");
      const server = await serveDatagrams("udp://127.0.0.1:0", () => undefined);
      box.interop.unref();
      server.interop.unref();
      ${held}.interop.ref();
      process.on("SIGUSR2", () => { process.exitCode = 7; void ${held}.close(); });
      console.log("ready");
    `);
    await program.firstLine();
    program.child.kill("SIGUSR2");
    assert.deepEqual(await program.exited, [7, null]);
  }
});

test("calls that timed out or were aborted hold nothing", async () => {
  await ends(`
    const silent = net.createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const { port } = silent.address();
    const failed = (promise) => promise.then(() => { throw new Error("succeeded"); }, () => undefined);
    await failed(connect("tls://127.0.0.1:" + port, { timeoutMs: 20 }));
    await failed(connect("tls://127.0.0.1:" + port, { signal: AbortSignal.timeout(20) }));
    const listener = await listen("tcp://127.0.0.1:0");
    await failed(listener.accept({ timeoutMs: 20 }));
    await listener.close();
    const box = await bind("udp://127.0.0.1:0");
    await failed(box.receive({ timeoutMs: 20 }));
    await box.close();
    const [left, right] = pair();
    await failed(left.read({ timeoutMs: 20 }));
    await failed(left.read({ signal: AbortSignal.timeout(20), timeoutMs: 1_000_000 }));
    const waiting = failed(right.read({ timeoutMs: 1_000_000 }));
    left.abort();
    await waiting;
    silent.close();
  `);
});

test("closeOn: the report is that of a close, whoever asks for it", posix, async () => {
  const program = start(`
    const server = await serve("tcp://127.0.0.1:0", async (peer) => {
      await peer.write("started\\n");
      await new Promise((resolve) => peer.draining.addEventListener("abort", resolve));
      if (server.peers.size === 2) await peer.write("goodbye");
      else await peer.read();
    }, { closeOn: ["SIGTERM"], closeTimeoutMs: 100 });
    console.log(String(server.localAddress));
    void server.closed.then(async () => {
      const { finished, cut } = await server.close();
      console.log(JSON.stringify({ finished, cut, open: server.stats.open, peers: server.peers.size }));
    });
  `);
  const address = await program.firstLine();
  const calls = await Promise.all([connect(address), connect(address)]);
  for (const call of calls) await call.readUntil("\n");
  program.child.kill("SIGTERM");
  for (const call of calls) await textToEnd(call).catch(() => undefined);
  await Promise.all(calls.map((call) => call.close()));
  assert.deepEqual(await program.exited, [0, null]);
  const { finished, cut, open, peers } = JSON.parse(program.text().split("\n")[1] ?? "") as Record<string, number>;
  assert.deepEqual([Number(finished) + Number(cut), open, peers], [2, 0, 0]);
});

test("closeOn: a server on datagrams answers what it has begun", posix, async () => {
  const program = start(`
    const server = await serveDatagrams("udp://127.0.0.1:0", async (request, { draining }) => {
      console.log("asked");
      await new Promise((resolve) => draining.addEventListener("abort", resolve));
      return "goodbye";
    }, { closeOn: ["SIGTERM"] });
    const box = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
    await box.send("hola");
    console.log(String((await box.receive()).data));
    await box.close();
  `);
  await program.firstLine();
  program.child.kill("SIGTERM");
  assert.deepEqual(await program.exited, [0, null]);
  assert.equal(program.text(), "asked\ngoodbye\n");
});

test("fd: TLS and serve on a socket that another process has opened", posix, async () => {
  const parent = net.createServer().listen(0, "127.0.0.1");
  const port = await portOf(parent);
  const { fd } = Reflect.get(parent, "_handle") as { readonly fd: number };
  const program = start(
    `
    const server = await serve("tls://127.0.0.1:${port}", async (peer) => {
      await peer.write("from the child");
    }, { tls, fd: 3, closeOn: ["SIGTERM"] });
    console.log(String(server.localAddress));
  `,
    [fd],
  );
  assert.equal(await program.firstLine(), `tls://127.0.0.1:${port}`);
  parent.close();
  const call = await connect(`tls://127.0.0.1:${port}`, { tls: { ca: authority.cert } });
  assert.equal(await textToEnd(call), "from the child");
  await call.close();
  program.child.kill("SIGTERM");
  assert.deepEqual(await program.exited, [0, null]);
});

const SESSION = `
  const { call, contract, connectSession, serveSessions } = await import(${PROTOCOL});
  const room = contract("room", "1.0.0", { server: { ask: call() } });
  const handlers = { ask: () => undefined };
  const turns = async (holds) => { while (!holds()) await new Promise((resolve) => setImmediate(resolve)); };
`;

test("unref of a server of sessions and of both ends of a session lets the process end, over the next connection too", async () => {
  await ends(`${SESSION}
    const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers, onOpen: (session) => session.interop.unref() });
    const wires = [];
    const tunnel = await serve("tcp://127.0.0.1:0", async (peer) => {
      const onward = await connect(server.localAddress);
      wires.push(peer, onward);
      await relay(peer, onward);
    });
    let resumed = 0;
    const onResume = () => { resumed += 1; };
    const session = await connectSession(room, tunnel.localAddress, { reconnect: { initialDelayMs: 1 }, onResume });
    session.interop.unref();
    await session.remote.ask();
    wires[0].abort();
    await turns(() => resumed === 1);
    await session.remote.ask();
    for (const one of [server, tunnel, ...wires]) one.interop.unref();
  `);
});

test("a session without a connection lets the process end, when it is unreferenced", async () => {
  await ends(`${SESSION}
    const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers });
    let detached = false;
    const reconnect = { initialDelayMs: 3_600_000, maxDelayMs: 3_600_000, timeoutMs: Infinity };
    const session = await connectSession(room, server.localAddress, { reconnect, onDetach: () => { detached = true; } });
    session.interop.unref();
    await server.close();
    await turns(() => detached);
  `);
});

test("a session that is referenced again keeps the process alive until it is closed", posix, async () => {
  const program = start(`${SESSION}
    const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers, onOpen: (session) => session.interop.unref() });
    server.interop.unref();
    const session = await connectSession(room, server.localAddress);
    session.interop.unref();
    session.interop.ref();
    process.on("SIGUSR2", () => { process.exitCode = 7; void session.close(); });
    console.log("ready");
  `);
  await program.firstLine();
  program.child.kill("SIGUSR2");
  assert.deepEqual(await program.exited, [7, null]);
});
