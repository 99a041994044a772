import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { connect } from "../index.ts";
import { textToEnd } from "../testing/stream/check.ts";

/* Signals and what keeps a process alive can be seen only from outside: each program here is a process of its own. */

const PROTOCOL = JSON.stringify(new URL("../protocol.js", import.meta.url).href);
const INDEX = JSON.stringify(new URL("../index.js", import.meta.url).href);
const posix = { skip: process.platform === "win32" };

function start(program: string, stderr: "inherit" | "pipe" = "inherit") {
  const source = `import { connect, listen, serve } from ${INDEX};\n${program}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", stderr],
  });
  return { child, exited: once(child, "close") };
}

/** The first line that the program prints. */
async function firstLine({ stdout }: ReturnType<typeof start>["child"]): Promise<string> {
  assert.ok(stdout !== null);
  return String((await once(stdout, "data"))[0]).trim();
}

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
    const { child, exited } = start(`
      const server = await serve("tcp://127.0.0.1:0", () => undefined, ${options});
      if (${options}.closeOn) await server.close();
      setInterval(() => undefined, 1000);
      console.log("ready");
    `);
    assert.equal(await firstLine(child), "ready");
    child.kill("SIGTERM");
    assert.deepEqual(await exited, [null, "SIGTERM"]);
  }
});

/** Runs a program that closes its server on SIGTERM; answers how it ended, and what it said on stderr. */
async function terminated(options: string, program: string): Promise<{ readonly end: unknown; readonly said: string }> {
  const { child, exited } = start(
    `
      const server = await serve("tcp://127.0.0.1:0", () => undefined, { closeOn: ["SIGTERM"], ${options} });
      ${program}
      console.log("ready");
    `,
    "pipe",
  );
  const said: unknown[] = [];
  child.stderr?.on("data", (bytes) => said.push(bytes));
  assert.equal(await firstLine(child), "ready");
  child.kill("SIGTERM");
  const end = await exited;
  return { end, said: said.join("") };
}

test("closeOn: a process that something keeps alive is ended, and says what that was", posix, async () => {
  for (const [set, code] of [["", 0] as const, ["process.exitCode = 7;", 7] as const]) {
    const { end, said } = await terminated(
      "exitTimeoutMs: 1",
      `${set} setInterval(() => undefined, 1000); setInterval(() => undefined, 1000);`,
    );
    assert.deepEqual(end, [code, null]);
    assert.match(
      said,
      /\[ZOCALO_EXIT\] ZocaloWarning: .* 1 ms later \(exitTimeoutMs\).* Open are: (\w+, )*Timeout[.,]/,
    );
    assert.equal(said.split("ZOCALO_EXIT").length, 2, "one warning");
  }
});

test("closeOn: a process that ends by itself does so without a warning, and waits for no time", posix, async () => {
  const program = `
    const timer = setInterval(() => undefined, 1000);
    server.closed.then(() => clearInterval(timer));
  `;
  assert.deepEqual(await terminated("exitTimeoutMs: 3_600_000", program), { end: [0, null], said: "" });
  assert.deepEqual(await terminated("", program), { end: [0, null], said: "" });
});

test(
  "closeOn: with exitTimeoutMs Infinity, and while another server is there, no process is ended",
  posix,
  async () => {
    for (const other of ["", `await serve("tcp://127.0.0.1:0", () => undefined, { closeOn: ["SIGINT"] });`]) {
      // The other server is why the process goes on although no time is left.
      const options = other === "" ? "exitTimeoutMs: Infinity" : "exitTimeoutMs: 0";
      const { end, said } = await terminated(
        options,
        `
        ${other}
        const timer = setInterval(() => undefined, 1000);
        server.closed.then(() => setTimeout(() => process.exit(9), 50));
      `,
      );
      assert.deepEqual({ end, said }, { end: [9, null], said: "" });
    }
  },
);

test("closeOn: the longest exitTimeoutMs of several servers counts", posix, async () => {
  const { end, said } = await terminated(
    "exitTimeoutMs: Infinity",
    `
      const busy = await serve("tcp://127.0.0.1:0", async (peer) => {
        await server.closed; // it closes last
      }, { closeOn: ["SIGTERM"], exitTimeoutMs: 0 });
      const call = await connect(busy.localAddress);
      while (busy.peers.size === 0) await new Promise((resolve) => setImmediate(resolve));
      busy.closed.then(() => setTimeout(() => process.exit(9), 50));
      call.closed.catch(() => undefined);
    `,
  );
  assert.deepEqual({ end, said }, { end: [9, null], said: "" });
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
