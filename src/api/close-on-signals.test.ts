import assert from "node:assert/strict";
import { test } from "node:test";
import { closeOnSignals, connect, serve, UsageError } from "../index.ts";
import { expectError } from "../testing/expect-error.ts";
import { textToEnd } from "../testing/stream/check.ts";
import { firstLine, INDEX, posix, PROTOCOL, PROXY, start } from "../../test/fixtures/signalled-program.ts";

test("closeOn: the server finishes what it does, and the process ends by itself", posix, async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const { child, exited } = start(`
      const server = await serve("tcp://127.0.0.1:0", async (peer) => {
        await peer.write("started\\n");
        await new Promise((resolve) => peer.draining.addEventListener("abort", resolve));
        await peer.write("goodbye");
      }, { closeOn: ["SIGTERM", "SIGINT"] });
      console.log(String(server.localAddress));
    `);
    const called = await connect(await firstLine(child));
    await called.readUntil("\n");
    child.kill(signal);
    assert.equal(await textToEnd(called), "goodbye");
    await called.close();
    assert.deepEqual(await exited, [0, null]);
  }
});

test("closeOn: handlers that take too long are cut after closeTimeoutMs", posix, async () => {
  const { child, exited } = start(`
    const server = await serve("tcp://127.0.0.1:0", async (peer) => {
      await peer.write("started\\n");
      await peer.read();
    }, { closeOn: ["SIGTERM"], closeTimeoutMs: 1 });
    console.log(String(server.localAddress));
  `);
  const called = await connect(await firstLine(child));
  await called.readUntil("\n");
  child.kill("SIGTERM");
  await assert.rejects(textToEnd(called), { code: "CONNECTION_RESET" });
  assert.deepEqual(await exited, [0, null]);
});

/** Servers of each kind with a handler that never ends, and a client that is being served. */
const BUSY: Readonly<Record<string, string>> = {
  serve: `
    const server = await serve("tcp://127.0.0.1:0", () => new Promise(served), options);
    (await connect(server.localAddress)).interop.unref();
  `,
  serveSessions: `
    const server = await serveSessions(work, "tcp://127.0.0.1:0", { handlers, ...options });
    const session = await connectSession(work, server.localAddress, { reconnect: false });
    session.remote.job().catch(() => undefined);
  `,
  serveDatagrams: `
    const server = await serveDatagrams("udp://127.0.0.1:0", () => new Promise(served), options);
    const box = await bind("udp://127.0.0.1:0");
    box.interop.unref();
    await box.send("x", server.localAddress);
  `,
  serveStateless: `
    const server = await serveStateless(work, "udp://127.0.0.1:0", { handlers, ...options });
    const client = await connectStateless(work, server.localAddress);
    client.remote.job().catch(() => undefined);
    server.closed.then(() => client.abort());
  `,
};

for (const [kind, program] of Object.entries(BUSY)) {
  test(`closeOn: a SIGINT while ${kind} closes cuts at once, a SIGTERM does not`, posix, async () => {
    for (const first of ["SIGTERM", "SIGINT"] as const) {
      const { child, exited } = start(`
        import { bind, serveDatagrams } from ${INDEX};
        import * as protocol from ${PROTOCOL};
        const { call, contract, connectSession, serveSessions, serveStateless, connectStateless } = protocol;
        const options = { closeOn: ["SIGTERM", "SIGINT"], closeTimeoutMs: 3_600_000 };
        const work = contract("work", "1.0.0", { server: { job: call(undefined, undefined, { idempotent: true }) } });
        let served = () => undefined;
        const ready = new Promise((resolve) => {
          served = (settle) => resolve(settle);
        });
        const handlers = { job: () => new Promise(served) };
        ${program}
        await ready;
        for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => console.log(name));
        server.closed.then(() => process.removeAllListeners());
        console.log("ready");
      `);
      assert.equal(await firstLine(child), "ready");
      for (const signal of [first, "SIGTERM", "SIGTERM"] as const) {
        child.kill(signal);
        // It has come, and the process goes on.
        assert.equal(await firstLine(child), signal);
      }
      child.kill("SIGINT");
      assert.deepEqual(await exited, [0, null], `${kind}, ${first} first`);
    }
  });
}

/** What every program of the tests of closeOnSignals begins with: a contract, and a timer that nobody ends. */
const PRELUDE = `
  import { bind, serveDatagrams } from ${INDEX};
  import * as protocol from ${PROTOCOL};
  import { startProxy } from ${PROXY};
  const { call, contract, connectSession, serveSessions, serveStateless, connectStateless } = protocol;
  const greeting = contract("greeting", "1.0.0", { server: { greet: call(undefined, protocol.typeOnly(), { idempotent: true }) } });
  const sessions = { handlers: { greet: () => "hola" } };
  setInterval(() => undefined, 1_000);
`;

/** Servers of each kind, and a new client that asks one. */
const GREETING: Readonly<Record<string, string>> = {
  serve: `
    const server = await serve("tcp://127.0.0.1:0", (peer) => peer.write("hola"));
    const greet = async () => String(await (await connect(server.localAddress)).readExactly(4));
  `,
  serveSessions: `
    const server = await serveSessions(greeting, "tcp://127.0.0.1:0", sessions);
    const greet = async () => (await connectSession(greeting, server.localAddress, { reconnect: false })).remote.greet();
  `,
  serveDatagrams: `
    const server = await serveDatagrams("udp://127.0.0.1:0", () => "hola");
    const greet = async () => {
      const box = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
      await box.send("x");
      return String((await box.receive()).data);
    };
  `,
  serveStateless: `
    const server = await serveStateless(greeting, "udp://127.0.0.1:0", sessions);
    const greet = async () => (await connectStateless(greeting, server.localAddress)).remote.greet();
  `,
  startProxy: `
    const behind = await serve("tcp://127.0.0.1:0", async (peer) => {
      await peer.write("hola");
      await peer.read();
    });
    const server = await startProxy({ proxies: [{ name: "one", upstream: behind.localAddress }] });
    const greet = async () => String(await (await connect(server.proxies.get("one").listen)).readExactly(4));
  `,
};

for (const [kind, program] of Object.entries(GREETING)) {
  test(
    `closeOnSignals: ${kind} says that it drains, and serves on for delayMs; the next signal ends it`,
    posix,
    async () => {
      const { child, exited } = start(`
      ${PRELUDE}
      ${program}
      server.draining.addEventListener("abort", async () => console.log("draining", await greet()));
      server.closed.then(() => console.log("closed"));
      closeOnSignals(server, { delayMs: 3_600_000, exit: true });
      console.log("ready");
    `);
      assert.equal(await firstLine(child), "ready");
      child.kill("SIGTERM");
      assert.equal(await firstLine(child), "draining hola");
      child.kill("SIGTERM");
      assert.equal(await firstLine(child), "closed");
      const [code, signal] = (await exited) as [number | null, unknown];
      assert.equal(signal, null);
      // The proxied connection is cut. A session ends in order if its client hears of it in time. Nothing else is under way.
      if (kind !== "serveSessions") assert.equal(code, kind === "startProxy" ? 143 : 0);
    },
  );
}

test(
  "closeOnSignals: exit ends the process when the last of several servers has closed, with a code",
  posix,
  async () => {
    const slow = `await peer.write("started\\n"); await new Promise((resolve) => peer.draining.addEventListener("abort", resolve));`;
    for (const [handler, options, set, code] of [
      [slow, "{ delayMs: 1, exit: true }", "", 0],
      [slow, "{ exit: true }", "process.exitCode = 7;", 7],
      [`${slow} await peer.read();`, "{ timeoutMs: 1, exit: true }", "", 143],
      [`${slow} await peer.read();`, "{ timeoutMs: 1, exit: true }", "process.exitCode = 7;", 7],
      [`${slow} await peer.read();`, "{ timeoutMs: 1, exitTimeoutMs: 0 }", "", 0],
    ] as const) {
      const { child, exited } = start(
        `${PRELUDE}
      ${set}
      const idle = await serve("tcp://127.0.0.1:0", () => undefined);
      const server = await serve("tcp://127.0.0.1:0", async (peer) => { ${handler} });
      closeOnSignals([idle, server], ${options});
      console.log(String(server.localAddress));
    `,
        "pipe",
      );
      const called = await connect(await firstLine(child));
      await called.readUntil("\n");
      child.kill("SIGTERM");
      assert.deepEqual(await exited, [code, null], `${handler} ${options} ${set}`);
      called.abort();
    }
  },
);

test("closeOnSignals: cutOn names the signals that cut", posix, async () => {
  const { child, exited } = start(`
    ${PRELUDE}
    const server = await serve("tcp://127.0.0.1:0", (peer) => peer.write("hola"));
    closeOnSignals(server, { signals: ["SIGTERM"], cutOn: ["SIGHUP"], delayMs: 3_600_000, exit: true });
    for (const name of ["SIGTERM", "SIGHUP"]) process.on(name, () => console.log(name, server.draining.aborted));
    console.log("ready");
  `);
  assert.equal(await firstLine(child), "ready");
  for (const [signal, draining] of [
    ["SIGHUP", false],
    ["SIGTERM", true],
    ["SIGTERM", true],
  ] as const) {
    child.kill(signal);
    assert.equal(await firstLine(child), `${signal} ${draining}`);
  }
  child.kill("SIGHUP");
  assert.deepEqual(await exited, [0, null]);
});

test("closeOnSignals: servers that are closed leave the signals alone, and mistakes are OPTION_INVALID", async () => {
  const before = process.listenerCount("SIGTERM");
  const server = await serve("tcp://127.0.0.1:0", () => undefined);
  closeOnSignals([server]);
  assert.equal(process.listenerCount("SIGTERM"), before + 1);
  await server.close();
  while (process.listenerCount("SIGTERM") > before) await new Promise(setImmediate);
  const invalid = { code: "OPTION_INVALID", op: "closeOnSignals", type: UsageError } as const;
  for (const [servers, options] of [
    [{}, {}],
    [[server, undefined], {}],
    [server, { signals: ["SIGKILL"] }],
    [server, { cutOn: "SIGINT" }],
    [server, { delayMs: -1 }],
    [server, { exit: "yes" }],
    [server, { closeOn: ["SIGTERM"] }],
  ]) {
    await expectError((async () => closeOnSignals(servers as never, options as never))(), invalid);
  }
  assert.equal(process.listenerCount("SIGTERM"), before);
});

test("closeOn: closeDelayMs goes on serving, and SIGINT cuts it short", posix, async () => {
  const { child, exited } = start(`
    const options = { closeOn: ["SIGTERM", "SIGINT"], closeDelayMs: 3_600_000 };
    const server = await serve("tcp://127.0.0.1:0", (peer) => peer.write("hola"), options);
    server.draining.addEventListener("abort", () => console.log("draining"));
    console.log(String(server.localAddress));
  `);
  const address = await firstLine(child);
  child.kill("SIGTERM");
  assert.equal(await firstLine(child), "draining");
  const called = await connect(address);
  assert.equal(await textToEnd(called), "hola");
  await called.close();
  child.kill("SIGINT");
  assert.deepEqual(await exited, [0, null]);
});

test("closeOn: many servers of one process share one listener, and all of them end", posix, async () => {
  const { child, exited } = start(`
    process.on("warning", () => process.exit(3));
    const servers = [];
    for (let count = 0; count < 20; count += 1) {
      servers.push(await serve("tcp://127.0.0.1:0", () => undefined, { closeOn: ["SIGTERM", "SIGTERM"] }));
    }
    await servers.pop().close();
    if (process.listenerCount("SIGTERM") !== 1) process.exit(4);
    console.log("ready");
  `);
  assert.equal(await firstLine(child), "ready");
  child.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);
});

test("a closed server leaves the signals to others, and without closeOn it never takes them", posix, async () => {
  for (const options of [`{ closeOn: ["SIGTERM"] }`, "{}"]) {
    const { exited } = start(`
      const server = await serve("tcp://127.0.0.1:0", () => undefined, ${options});
      setInterval(() => undefined, 1000);
      if (${options}.closeOn) await server.close();
      process.kill(process.pid, "SIGTERM");
    `);
    assert.deepEqual(await exited, [null, "SIGTERM"]);
  }
});

test("unref lets the process end although listeners and connections with limits are open", async () => {
  const { exited } = start(`
    const limits = { timeouts: { idleMs: 600_000, lifetimeMs: 600_000 } };
    const listener = await listen("tcp://127.0.0.1:0", limits);
    const [called, peer] = await Promise.all([connect(listener.localAddress, limits), listener.accept()]);
    const server = await serve("tcp://127.0.0.1:0", () => undefined);
    for (const open of [listener, called, peer, server]) open.interop.unref();
    called.read();
  `);
  assert.deepEqual(await exited, [0, null]);
});

test("ref keeps the process alive again", async () => {
  const { child, exited } = start(`
    const listener = await listen("tcp://127.0.0.1:0");
    listener.interop.unref();
    listener.interop.ref();
    console.log(String(listener.localAddress));
    const peer = await listener.accept();
    peer.interop.unref();
    peer.interop.ref();
    await peer.read();
    process.exitCode = 7;
    await peer.close();
    await listener.close();
  `);
  const called = await connect(await firstLine(child));
  await called.write("x");
  await called.close();
  assert.deepEqual(await exited, [7, null]);
});
