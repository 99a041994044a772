/**
 * A connection, a session or a server that is closed in order, by either side, is no error: no `onError` is told, and the other side
 * sees no reset (docs/semantics.md, rules A9 and D8).
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { lines } from "../../src/framing.ts";
import {
  bind,
  connect,
  type Peer,
  type PeerHandler,
  serve,
  serveDatagrams,
  type Server,
  sleep,
} from "../../src/index.ts";
import {
  call,
  connectSession,
  connectStateless,
  contract,
  event,
  serveSessions,
  serveStateless,
  type StatelessContext,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { textToEnd } from "../../src/testing/stream/check.ts";
import { gate } from "../fixtures/gate.ts";

/** Handlers that answer each line, or wait for something, and catch nothing. */
const HANDLERS: Readonly<Record<string, PeerHandler>> = {
  async readUntil(peer) {
    for (;;) await peer.write(await peer.readUntil("\n"));
  },
  async readExactly(peer) {
    for (;;) await peer.write(await peer.readExactly(5));
  },
  async "read, with the signal of draining"(peer) {
    for (let bytes = await peer.read(); bytes !== null; bytes = await peer.read({ signal: peer.draining }))
      await peer.write(bytes);
  },
  async chunks(peer) {
    for await (const bytes of peer) await peer.write(bytes);
  },
  async receive(peer) {
    const text = peer.framed(lines());
    for (let line = await text.receive(); line !== null; line = await text.receive()) await text.send(line);
  },
  async messages(peer) {
    const text = peer.framed(lines());
    for await (const line of text) await text.send(line);
  },
  async batches(peer) {
    const text = peer.framed(lines());
    for await (const some of text.batches()) await text.sendMany(some);
  },
  async onMessages(peer) {
    const text = peer.framed(lines());
    await text.onMessages((line) => void text.send(line));
  },
  async "sleep, until the connection is over"(peer) {
    await peer.write(await peer.readUntil("\n"));
    await Promise.all([peer.read(), sleep(3_600_000, { signal: peer.signal })]);
  },
};

/** How it ends, once the first answer is there; `peer` is the server's side. */
const ENDS: Readonly<Record<string, (server: Server, peer: Peer) => unknown>> = {
  "the client ends": () => undefined,
  "the program closes the connection": (_server, peer) => peer.close(),
  "the server closes, and cuts what is left": (server) => server.close({ timeoutMs: 1 }),
  "the server is aborted": (server) => server.abort(),
};

for (const [how, end] of Object.entries(ENDS)) {
  test(`serve: ${how}, and nobody is told of an error`, async () => {
    for (const [name, handler] of Object.entries(HANDLERS)) {
      // It never ends its own side.
      if (how === "the client ends" && name.startsWith("sleep")) continue;
      const told: unknown[] = [];
      const server = await serve("tcp://127.0.0.1:0", handler, { onError: (error) => told.push(error) });
      const called = await connect(server.localAddress);
      await called.write("hola\n");
      assert.equal(String(await called.readUntil("\n")), "hola\n");
      const [peer] = server.peers;
      assert.ok(peer);
      if (how === "the client ends") {
        await called.write("adiós"); // without a line end, which only bytes take
        await called.write("\n".repeat(name === "readExactly" ? 4 : 1));
        await called.end();
      }
      const over = end(server, peer);
      const aborts = how.startsWith("the server");
      const rest = await textToEnd(called).catch((error: unknown) => {
        assert.ok(aborts, `${name}: ${String(error)}`);
      });
      if (how === "the client ends") assert.match(rest ?? "", /adiós/, name);
      await called.close();
      await over;
      // The handlers have come to their end, and `onError` would have been called.
      await server.close({ timeoutMs: 1 });
      assert.deepEqual(told, [], `${how}, ${name}`);
    }
  });
}

test("serve: an end in the middle, a mistake and the end of another connection are told", async () => {
  const codes: unknown[] = [];
  const onError = (error: unknown): void => void codes.push((error as { readonly code?: unknown }).code);
  await using other = await serve("tcp://127.0.0.1:0", () => undefined);
  const mistaken: PeerHandler = async (peer) => {
    await peer.end();
    await peer.write("x");
  };
  const handlers: PeerHandler[] = [
    (peer) => peer.readUntil("\n"),
    (peer) => peer.readExactly(100),
    mistaken,
    async () => await (await connect(other.localAddress)).readUntil("\n"),
  ];
  for (const handler of handlers) {
    await using server = await serve("tcp://127.0.0.1:0", handler, { onError });
    await using called = await connect(server.localAddress);
    await called.write("half a line");
    if (handler !== mistaken) await called.end();
    await called.read().catch(() => undefined);
  }
  assert.deepEqual(codes, ["END_OF_STREAM", "END_OF_STREAM", "CLOSED", "END_OF_STREAM"]);
});

const work = contract("work", "1.0.0", {
  server: {
    job: call<void, void>(),
    up: event<void>(),
    feed: stream({ sends: typeOnly<number>() }),
    take: stream({ receives: typeOnly<number>() }),
  },
  client: { ask: call<void, void>(), told: event<void>() },
});

/** Rejects with the reason, as most that takes a signal does. */
async function until(signal: AbortSignal): Promise<void> {
  await sleep(3_600_000, { signal });
}

test("sessions: a close of either side is no error of a handler that is at work", async () => {
  const scenes = [
    "client",
    "client at once",
    "session of the server",
    "server",
    "server at once",
    "abort of the server",
  ];
  for (const scene of scenes) {
    const told: unknown[] = [];
    let begun = 0;
    const ready = gate();
    const begin = (): void => {
      begun += 1;
      if (begun === 5) ready.open();
    };
    const waits = async (_nothing: unknown, { signal }: { readonly signal: AbortSignal }): Promise<void> => {
      begin();
      await until(signal);
    };
    const server = await serveSessions(work, "tcp://127.0.0.1:0", {
      handlers: {
        job: waits,
        async up(_nothing, { session }) {
          begin();
          await session.remote.ask();
        },
        async *feed() {
          begin();
          for (let item = 0; ; item += 1) {
            yield item;
            await sleep(1);
          }
        },
        async take(_nothing, items) {
          begin();
          for await (const item of items) await sleep(item);
        },
      },
      onError: (error) => told.push(["server", error]),
    });
    const session = await connectSession(work, server.localAddress, {
      handlers: { ask: waits, told: () => undefined },
      onError: (error) => told.push(["client", error]),
      reconnect: false,
    });
    const ignore = (): void => undefined;
    session.remote.job().catch(ignore);
    session.remote.up().catch(ignore);
    const feed = session.remote.feed();
    const take = session.remote.take();
    void feed[Symbol.asyncIterator]().next().catch(ignore);
    void take.send(1).catch(ignore);
    await ready.opened;
    const [served] = server.sessions.values();
    assert.ok(served);
    const over = served.closed;
    if (scene.startsWith("client")) await session.close({ timeoutMs: scene === "client" ? 1 : 0 });
    else if (scene.startsWith("session")) await served.close({ timeoutMs: 1 });
    else if (scene.startsWith("abort")) server.abort();
    else await server.close({ timeoutMs: scene === "server" ? 1 : 0 });
    await session.closed;
    await over;
    await server.close({ timeoutMs: 0 });
    assert.deepEqual(told, [], scene);
  }
});

test("sessions: who connects and says nothing, as a health check does, is counted and not told", async () => {
  const codes: unknown[] = [];
  const server = await serveSessions(work, "tcp://127.0.0.1:0", {
    handlers: { job: () => undefined, up: () => undefined, feed: () => undefined as never, take: () => undefined },
    onError: (error) => codes.push((error as { readonly code?: unknown }).code),
  });
  for (const bytes of ["", "GET"]) {
    await using probe = await connect(server.localAddress);
    if (bytes !== "") await probe.write(bytes);
    await probe.end();
    assert.equal(await probe.read(), null);
  }
  await server.close();
  assert.deepEqual([codes, server.stats.declined], [["PROTOCOL_MISMATCH"], 2]);
});

test("datagrams: what a closing server cuts is counted, and is no error", async () => {
  for (const signal of ["signal", "draining"] as const) {
    for (const how of ["close", "abort"] as const) {
      const told: unknown[] = [];
      const began = gate();
      const server = await serveDatagrams(
        "udp://127.0.0.1:0",
        async (_request, context) => {
          began.open();
          await until(context[signal]);
        },
        { onError: (error) => told.push(error) },
      );
      await using box = await bind("udp://127.0.0.1:0");
      await box.send("x", server.localAddress);
      await began.opened;
      if (how === "close") await server.close({ timeoutMs: 1 });
      else server.abort();
      await server.closed;
      await sleep(0);
      assert.deepEqual(told, [], `${signal}, ${how}`);
    }
  }
});

test("many handlers that listen to draining cause no warning of a leak, and each is told", async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on("warning", warned);
  const server = await serve("tcp://127.0.0.1:0", async (peer) => {
    await peer.write("hola");
    await new Promise((resolve) => peer.draining.addEventListener("abort", resolve));
    await peer.write("adiós");
  });
  const calls = await Promise.all(Array.from({ length: 20 }, () => connect(server.localAddress)));
  for (const client of calls) await client.readExactly(4);
  const closing = server.close();
  for (const client of calls) {
    assert.equal(await textToEnd(client), "adiós");
    await client.close();
  }
  assert.equal((await closing).finished, 20);
  await new Promise(setImmediate);
  process.off("warning", warned);
  assert.deepEqual(warnings, []);
});

test("many handlers of datagrams that listen to draining and signal cause no warning of a leak, and each is told", async (t) => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on("warning", warned);
  t.after(() => process.off("warning", warned));
  const clock = contract("clock", "1.0.0", {
    server: { late: call(typeOnly<void>(), typeOnly<string>(), { idempotent: true }) },
  });
  const wait = async (context: Pick<StatelessContext, "draining" | "signal">): Promise<string> => {
    context.signal.addEventListener("abort", () => assert.fail("it is closed after its handlers"));
    await new Promise((resolve) => context.draining.addEventListener("abort", resolve));
    return String((context.draining.reason as { code: unknown }).code);
  };
  const plain = await serveDatagrams("udp://127.0.0.1:0", (_request, context) => wait(context));
  const stateless = await serveStateless(clock, "udp://127.0.0.1:0", {
    handlers: { late: (_none, context) => wait(context) },
  });
  await using box = await bind("udp://127.0.0.1:0");
  // No call is sent again on a busy machine: its handler would be counted twice.
  const client = await connectStateless(clock, stateless.localAddress, { retransmission: { initialDelayMs: 60_000 } });
  const answers: Promise<string>[] = [];
  for (let count = 0; count < 20; count += 1) {
    await box.send("x", plain.localAddress);
    answers.push(client.remote.late());
  }
  while (plain.stats.requestsActive < 20 || stateless.stats.requestsActive < 20) await sleep(1);
  const closing = [plain.close(), stateless.close()];
  for (let count = 0; count < 20; count += 1) assert.equal((await box.receive()).data.toString(), "CLOSED");
  assert.deepEqual(new Set(await Promise.all(answers)), new Set(["CLOSED"]));
  assert.deepEqual(
    (await Promise.all(closing)).map(({ finished }) => finished),
    [20, 20],
  );
  await client.close();
  await new Promise(setImmediate);
  assert.deepEqual(warnings, []);
});
