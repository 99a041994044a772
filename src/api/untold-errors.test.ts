import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { test } from "node:test";
import { text } from "node:stream/consumers";
import { type AddressLike, bind, connect, serve, serveDatagrams } from "../index.ts";
import { call, contract, connectSession, connectStateless, event, serveSessions, serveStateless } from "../protocol.ts";
import { simulate } from "../sim.ts";
import { textToEnd } from "../testing/stream/check.ts";

const warnings: (Error & { readonly code?: string; readonly detail?: string })[] = [];
process.on("warning", (warning) => warnings.push(warning));

/** How many errors were told on the channel, which has all of them. */
let told = 0;
subscribe("zocalo:error", () => {
  told += 1;
});

/** Does something that makes `count` errors, and answers which warnings that gave. */
async function warningsOf(count: number, act: () => Promise<unknown>): Promise<readonly string[]> {
  const before = told;
  warnings.length = 0;
  await act();
  assert.ok(told >= before + count, `${told - before} errors`);
  // A warning comes in a tick of its own.
  await new Promise((resolve) => void setImmediate(resolve));
  return warnings.map(({ code, message, detail }) => `${code}: ${message}: ${detail}`);
}

const TCP = "tcp://127.0.0.1:0";
const UDP = "udp://127.0.0.1:0";
const work = contract("work", "1.0.0", {
  server: { ask: call(undefined, undefined, { idempotent: true }) },
  client: { told: event() },
});
const datagrams = contract("work", "1.0.0", { server: { ask: call(undefined, undefined, { idempotent: true }) } });
const deaf = { told: () => undefined };
/** A client that says something and stays until it is cut. */
async function visit(address: AddressLike): Promise<void> {
  const client = await connect(address);
  await client.write("half");
  await client.closed;
}
const fail = (_asked?: unknown): never => {
  throw new Error("a mistake of this program");
};

/** Each makes two errors of a handler. */
const KINDS: Readonly<Record<string, (options: { onError?: () => void }) => Promise<void>>> = {
  async serve(options) {
    await using server = await serve(TCP, async (peer) => fail(await peer.read()), options);
    for (let count = 0; count < 2; count += 1) await visit(server.localAddress);
  },
  async serveDatagrams(options) {
    await using server = await serveDatagrams(UDP, fail, options);
    await using client = await bind(UDP, { remote: server.localAddress });
    for (let count = 0; count < 2; count += 1) await client.send("x");
    while (server.stats.requestsFailed < 2) await new Promise((resolve) => void setImmediate(resolve));
  },
  async serveSessions(options) {
    await using server = await serveSessions(work, TCP, { handlers: { ask: fail }, ...options });
    await using session = await connectSession(work, server.localAddress, { handlers: deaf });
    for (let count = 0; count < 2; count += 1) await assert.rejects(session.remote.ask(), { code: "INTERNAL" });
  },
  async serveStateless(options) {
    await using server = await serveStateless(datagrams, UDP, { handlers: { ask: fail }, ...options });
    await using client = await connectStateless(datagrams, server.localAddress);
    for (let count = 0; count < 2; count += 1) await assert.rejects(client.remote.ask(), { code: "INTERNAL" });
  },
  async connectSession(options) {
    await using server = await serveSessions(work, TCP, { handlers: { ask: () => undefined } });
    await using session = await connectSession(work, server.localAddress, { handlers: { told: fail }, ...options });
    await session.remote.ask();
    for (let count = 0; count < 2; count += 1) server.remote.told();
    await session.remote.ask();
  },
};

for (const [kind, act] of Object.entries(KINDS)) {
  test(`${kind}: without onError the first error of a handler is a warning, with it none is`, async () => {
    const [warning, ...more] = await warningsOf(2, () => act({}));
    assert.match(
      warning ?? "",
      new RegExp(`^ZOCALO_NO_ON_ERROR: a handler of ${kind} failed; .* onError to hear of all: `),
    );
    assert.match(warning ?? "", /Error: a mistake of this program\n +at .*untold-errors\.test/);
    assert.deepEqual(more, []);
    assert.deepEqual(await warningsOf(2, () => act({ onError: () => undefined })), []);
  });
}

test("what a peer does is no warning", async () => {
  const reset = async (): Promise<void> => {
    await using server = await serve(TCP, async (peer) => [await peer.write("go"), await peer.readExactly(10)]);
    const client = await connect(server.localAddress);
    await client.readExactly(2);
    await client.write("half");
    client.abort();
    await client.closed;
    while (server.peers.size > 0) await new Promise((resolve) => void setImmediate(resolve));
  };
  assert.deepEqual(await warningsOf(1, reset), []);
  const late = async (): Promise<void> => {
    await using server = await serve(TCP, (peer) => peer.readExactly(10, { timeoutMs: 1 }));
    await visit(server.localAddress);
  };
  assert.deepEqual(await warningsOf(1, late), []);
  const nonsense = async (): Promise<void> => {
    await using server = await serveSessions(work, TCP, { handlers: { ask: () => undefined } });
    const client = await connect(server.localAddress);
    await client.write("GET / HTTP/1.1\r\n\r\n");
    await textToEnd(client).catch(() => undefined);
    await client.close();
  };
  assert.deepEqual(await warningsOf(1, nonsense), []);
});

test("what the peer of another connection does is no warning either", async () => {
  const act = async (): Promise<void> => {
    const gone = await serve(TCP, () => undefined);
    await gone.close();
    await using server = await serve(TCP, async (peer) => [await peer.read(), await connect(gone.localAddress)]);
    await visit(server.localAddress);
  };
  assert.deepEqual(await warningsOf(1, act), []);
});

test("a simulated world gives no warning", async () => {
  const act = (): Promise<unknown> =>
    simulate({ seed: 1 }, async (world) => {
      const { network } = world.host("a");
      await serve("tcp://[::]:7", async (peer) => fail(await peer.read()), { network });
      const client = await connect("tcp://a:7", { network });
      await client.write("half");
      await client.closed;
    });
  assert.deepEqual(await warningsOf(1, act), []);
});

test("a process prints a bounded number of lines, without what a terminal would obey", async () => {
  const program = `
    import { connect, serve } from ${JSON.stringify(new URL("../index.js", import.meta.url).href)};
    for (let count = 0; count < 20; count += 1) {
      const server = await serve("tcp://127.0.0.1:0", async (peer) => {
        await peer.read();
        throw new Error(("\\u001b[2J" + "x".repeat(10_000) + "\\n").repeat(100));
      });
      const client = await connect(server.localAddress);
      await client.write("x");
      await client.closed;
      await server.close();
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said] = await Promise.all([text(child.stderr), once(child, "close")]);
  assert.equal(said.split("ZOCALO_NO_ON_ERROR").length - 1, 10);
  assert.ok(said.length < 10 * 12 * 400, `${said.length} characters`);
  assert.ok(!said.includes("\u001b"));
});
