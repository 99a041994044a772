/** A call with a time-out on something that is unreferenced does not keep its process: each program here is a process of its own. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { testCertificates } from "../fixtures/certificates.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const folder = temporaryFolder();
const { authority, server: identity } = await testCertificates();

const entry = (name: string): string => JSON.stringify(new URL(`../../src/${name}.js`, import.meta.url).href);
const PRELUDE = `
  import { bind, connect, listen, pair, serve, serveDatagrams } from ${entry("index")};
  import { lines } from ${entry("framing")};
  import * as protocol from ${entry("protocol")};
  const { call, contract, connectSession, serveSessions, serveStateless, connectStateless, stream, typeOnly } = protocol;
  const tls = ${JSON.stringify({ ...identity, ca: authority.cert, servername: "localhost" })};
  // Far behind the end of the test.
  const timeoutMs = 3_600_000;
  const nothing = () => undefined;
  const never = () => new Promise(nothing);
  const until = async (holds) => { while (!holds()) await new Promise((resolve) => setImmediate(resolve)); };
  const connected = async (address) => {
    const options = address.startsWith("tls:") ? { tls } : {};
    const listener = await listen(address, options);
    const both = await Promise.all([connect(listener.localAddress, options), listener.accept()]);
    await listener.close();
    return both;
  };
  const work = contract("work", "1.0.0", {
    server: { job: call(undefined, undefined, { idempotent: true }) },
  });
  const feed = contract("feed", "1.0.0", { server: { items: stream({ sends: typeOnly() }) } });
  const handlers = { job: never };
  // Both orders: the call first, and the call afterwards.
  const both = (unreference, ...calls) => {
    for (const call of calls) call().catch(nothing);
    unreference();
    for (const call of calls) call().catch(nothing);
  };
`;

/** What is open and unreferenced, with calls on it that have a time-out. */
const PROGRAMS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries({
      tcp: "tcp://127.0.0.1:0",
      tls: "tls://127.0.0.1:0",
      ...(process.platform === "win32" ? {} : { unix: `unix:${join(folder, "call.sock")}` }),
    }).map(([kind, address]) => [
      `a connection over ${kind}`,
      `
        const [near, far] = await connected(${JSON.stringify(address)});
        far.interop.unref();
        both(
          () => near.interop.unref(),
          () => near.read({ timeoutMs }),
          () => near.readExactly(1, { timeoutMs }),
          () => near.readUntil("x", { timeoutMs }),
          () => near.readInto(new Uint8Array(1), { timeoutMs }),
        );
      `,
    ]),
  ),
  "a framed connection": `
    const [near, far] = await connected("tcp://127.0.0.1:0");
    far.interop.unref();
    const text = near.framed(lines());
    both(() => near.interop.unref(), () => text.receive({ timeoutMs }));
  `,
  "a connection that closes": `
    const [near, far] = await connected("tcp://127.0.0.1:0");
    far.interop.unref();
    near.close({ lingerMs: timeoutMs, maxLingerMs: timeoutMs, timeoutMs }).catch(nothing);
    near.interop.unref();
  `,
  "a pair": `
    const [near] = pair();
    both(() => near.interop.unref(), () => near.read({ timeoutMs }));
  `,
  "a listener": `
    const listener = await listen("tcp://127.0.0.1:0");
    both(() => listener.interop.unref(), () => listener.accept({ timeoutMs }));
  `,
  "a datagram socket": `
    const box = await bind("udp://127.0.0.1:0");
    const text = box.framed(lines());
    both(
      () => box.interop.unref(),
      () => box.receive({ timeoutMs }),
      () => box.receiveMany(3, { timeoutMs }),
      () => text.receive({ timeoutMs }),
    );
  `,
  "a server": `
    const server = await serve("tcp://127.0.0.1:0", (peer) => { peer.interop.unref(); return never(); });
    (await connect(server.localAddress)).interop.unref();
    await until(() => server.peers.size === 1);
    void server.close({ timeoutMs });
    server.interop.unref();
  `,
  "a server of datagrams": `
    let asked = false;
    const server = await serveDatagrams("udp://127.0.0.1:0", () => { asked = true; return never(); });
    const box = await bind("udp://127.0.0.1:0");
    box.interop.unref();
    await box.send("x", server.localAddress);
    await until(() => asked);
    server.interop.unref();
    void server.close({ timeoutMs });
  `,
  "a session and its server": `
    const server = await serveSessions(work, "tcp://127.0.0.1:0", { handlers, onOpen: (session) => session.interop.unref() });
    const session = await connectSession(work, server.localAddress);
    server.interop.unref();
    both(() => session.interop.unref(), () => session.remote.job(undefined, { timeoutMs }), () => session.close({ timeoutMs }));
  `,
  "a server with a journal in a file, and its session": `
    const { fileJournal } = await import(${entry("journal-file")});
    const journal = fileJournal({ path: ${JSON.stringify(join(folder, "sessions.journal"))} });
    const onOpen = (session) => session.interop.unref();
    const server = await serveSessions(work, "tcp://127.0.0.1:0", { handlers: { job: nothing }, journal, onOpen });
    const session = await connectSession(work, server.localAddress);
    await session.remote.job();
    server.interop.unref();
    session.interop.unref();
  `,
  "a stream": `
    const server = await serveSessions(feed, "tcp://127.0.0.1:0", {
      handlers: { items: never },
      onOpen: (session) => session.interop.unref(),
    });
    const session = await connectSession(feed, server.localAddress);
    server.interop.unref();
    session.remote.items(undefined, { timeoutMs });
    session.interop.unref();
    session.remote.items(undefined, { timeoutMs });
  `,
  "a server of sessions that closes": `
    let asked = false;
    const server = await serveSessions(work, "tcp://127.0.0.1:0", {
      handlers: { job: () => { asked = true; return never(); } },
      onOpen: (session) => session.interop.unref(),
    });
    const session = await connectSession(work, server.localAddress);
    session.interop.unref();
    session.remote.job(undefined, { timeoutMs }).catch(nothing);
    await until(() => asked);
    void server.close({ timeoutMs });
    server.interop.unref();
  `,
  "a session that waits to come back": `
    const server = await serveSessions(work, "tcp://127.0.0.1:0", { handlers });
    const reconnect = { initialDelayMs: timeoutMs, maxDelayMs: timeoutMs, timeoutMs: Infinity };
    let detached = false;
    const session = await connectSession(work, server.localAddress, { reconnect, onDetach: () => { detached = true; } });
    await server.close();
    await until(() => detached);
    session.remote.job(undefined, { timeoutMs }).catch(nothing);
    session.interop.unref();
    session.remote.job(undefined, { timeoutMs }).catch(nothing);
  `,
  "a client over datagrams and its server": `
    let asked = false;
    const server = await serveStateless(work, "udp://127.0.0.1:0", { handlers: { job: () => { asked = true; return never(); } } });
    const client = await connectStateless(work, server.localAddress);
    both(() => client.interop.unref(), () => client.remote.job(undefined, { timeoutMs }));
    await until(() => asked);
    void server.close({ timeoutMs });
    server.interop.unref();
  `,
};

for (const [what, program] of Object.entries(PROGRAMS)) {
  test(`${what}, unreferenced: a time-out does not keep the process`, async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", PRELUDE + program], { stdio: "inherit" });
    const exited = once(child, "exit");
    assert.deepEqual(await exited, [0, null]);
  });
}

test("what is referenced keeps its process until the time-out", async () => {
  const program = `
    const [near] = pair();
    near.interop.unref();
    near.interop.ref();
    near.read({ timeoutMs: 1 }).catch(({ code }) => { if (code === "TIMEOUT") process.exitCode = 7; });
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", PRELUDE + program], { stdio: "inherit" });
  assert.deepEqual(await once(child, "exit"), [7, null]);
});
