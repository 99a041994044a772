/** Sessions that could not be opened: one typed error, which says between whom, and in its time. */

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { type TestContext, test } from "node:test";
import { type Clock, ConnectError, TimeoutError, ZocaloError } from "../../src/index.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { call, contract, event, memoryJournal, type SessionEnd } from "../../src/protocol.ts";
import { nodeNetwork } from "../../src/node/network.ts";
import { FaultyJournal } from "../../src/testing/journal/faulty.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { gate } from "../fixtures/gate.ts";
import { connectSession, serveSessions } from "./opened.ts";
import { RawClient } from "./raw-client.ts";

const room = contract("room", "1.0.0", { server: { who: call<void, string>() } });
const handlers = { who: () => "you" };

/** A program that takes connections and does something else with them. */
async function foreign(t: TestContext, onConnection: (socket: net.Socket) => void): Promise<string> {
  const sockets: net.Socket[] = [];
  const listener = net.createServer((socket) => {
    sockets.push(socket.on("error", () => undefined).resume());
    onConnection(socket);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return `tcp://127.0.0.1:${(listener.address() as net.AddressInfo).port}`;
}

async function errorOf(opening: Promise<unknown>): Promise<ZocaloError> {
  const error = await opening.catch((reason: unknown) => reason);
  assert.ok(error instanceof ZocaloError, String(error));
  return error;
}

function assertPlaces(error: ZocaloError, remote: string): void {
  assert.equal(error.remote, remote);
  assert.match(error.local ?? "", /^tcp:\/\/127\.0\.0\.1:\d+$/);
  assert.ok(error.message.startsWith(`${error.code}: handshake ${remote}: `), error.message);
}

test("what a server refuses names both addresses", async () => {
  const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers, authenticate: () => undefined });
  const remote = String(server.localAddress);
  for (const [agreement, code] of [
    [contract("chat", "1.0.0", {}), "CONTRACT_UNKNOWN"],
    [contract("room", "2.0.0", {}), "VERSION_UNSUPPORTED"],
    [room, "UNAUTHENTICATED"],
  ] as const) {
    const error = await errorOf(connectSession(agreement, remote));
    assert.deepEqual([error.code, error.outcome, error.side], [code, "none", "remote"]);
    assert.ok(error instanceof ConnectError);
    assertPlaces(error, remote);
  }
});

test("a peer that is no server, that ends, or resets: so does the error", async (t) => {
  for (const [onConnection, code] of [
    [(socket: net.Socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"), "PROTOCOL_MISMATCH"],
    [(socket: net.Socket) => void socket.end(), "END_OF_STREAM"],
    // An echo server.
    [(socket: net.Socket) => void socket.pipe(socket), "PROTOCOL_MISMATCH"],
    [(socket: net.Socket) => void socket.once("data", () => socket.resetAndDestroy()), "CONNECTION_RESET"],
  ] as const) {
    const remote = await foreign(t, onConnection);
    const error = await errorOf(connectSession(room, remote));
    assert.equal(error.code, code);
    assertPlaces(error, remote);
  }
});

test("an `auth` without a JSON form, or too long for a hello: told before anything is sent, and no connection is left", async () => {
  const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers });
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const auth of [1n, cycle, "x".repeat(66_000), () => Promise.resolve(1n)]) {
    const error = await errorOf(connectSession(room, server.localAddress, { auth }));
    assert.deepEqual([error.code, error.side], ["OPTION_INVALID", "local"]);
    assert.match(error.detail, /auth/);
  }
  await assert.rejects(connectSession(room, server.localAddress, { auth: () => Promise.reject(new Error("locked")) }), {
    message: "locked",
  });
  while (server.stats.listener.open > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.stats.sessions, 0);
});

test("timeoutMs and signal are for the whole opening: an `auth` that never answers", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const network = { ...nodeNetwork, clock };
  const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers });
  const remote = String(server.localAddress);
  let asked = gate();
  const auth = (): Promise<never> => {
    asked.open();
    return new Promise(() => undefined);
  };
  const late = errorOf(connectSession(room, remote, { timeoutMs: 500, network, auth }));
  await asked.opened;
  await clock.advance(500);
  const error = await late;
  assert.ok(error instanceof TimeoutError);
  assertPlaces(error, remote);
  assert.match(error.detail, /`auth` did not answer/);

  asked = gate();
  const controller = new AbortController();
  const cancelled = assert.rejects(connectSession(room, remote, { signal: controller.signal, auth }), {
    message: "enough",
  });
  await asked.opened;
  controller.abort(new Error("enough"));
  await cancelled;
});

test("timeoutMs is for the whole opening: a server that says nothing", async (t) => {
  const { open: connected, opened: arrival } = gate();
  const remote = await foreign(t, (socket) => void socket.once("data", connected));
  const clock = new ManualClock(nodeNetwork.clock);
  const opening = errorOf(connectSession(room, remote, { timeoutMs: 500, network: { ...nodeNetwork, clock } }));
  while (clock.pending === 0) await clock.turn();
  await arrival;
  await clock.advance(500);
  const error = await opening;
  assert.ok(error instanceof TimeoutError);
  assertPlaces(error, remote);
  assert.match(error.detail, /within 500 ms/);
});

test("limits that the framing cannot keep are refused by the call; the largest that it can opens a session", async () => {
  const most = 536_870_888;
  for (const maxMessageBytes of [most + 1, 1e9, 2 ** 30]) {
    const limits = { maxMessageBytes };
    for (const opening of [
      connectSession(room, "tcp://127.0.0.1:1", { limits }),
      serveSessions(room, "tcp://127.0.0.1:0", { handlers, limits }),
    ]) {
      const error = await errorOf(opening);
      assert.deepEqual([error.code, error.side], ["OPTION_INVALID", "local"]);
      assert.match(error.detail, /limits\.maxMessageBytes must be a whole number from 64 to 536870888/);
    }
  }
  const limits = { maxMessageBytes: most };
  const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers, limits });
  const session = await connectSession(room, server.localAddress, { limits });
  assert.equal(await session.remote.who(), "you");
  // A peer may promise more than this side would: it is not used.
  const raw = await RawClient.to(server.localAddress.port);
  const welcome = await raw.hello("room", { limits: { ...DEFAULT_LIMITS, maxMessageBytes: 2 ** 30 } });
  assert.equal((welcome["limits"] as typeof limits).maxMessageBytes, most);
});

test("a mistake of the server behind its welcome: the connection is over, no session is left, and onError is told", async () => {
  let looksLeft = Infinity;
  const clock: Clock = {
    ...nodeNetwork.clock,
    now: () => {
      looksLeft -= 1;
      if (looksLeft === 0) throw new Error("the clock is broken");
      return nodeNetwork.clock.now();
    },
  };
  const told: unknown[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    handlers,
    network: { ...nodeNetwork, clock },
    // The clock is looked at when the session is admitted, when it is made, and when it takes its connection.
    data: () => {
      looksLeft = 3;
      return {};
    },
    onError: (error) => told.push(error),
  });
  const raw = await RawClient.to(server.localAddress.port);
  const { session } = await raw.hello("room");
  assert.equal(typeof session, "string");
  while (raw.ended === undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    told.map((error) => (error as Error).message),
    ["the clock is broken"],
  );
  while (server.stats.listener.open > 0) await new Promise((resolve) => setImmediate(resolve));
  const { sessions, unauthenticated, heldBytes } = server.stats;
  assert.deepEqual({ sessions, unauthenticated, heldBytes }, { sessions: 0, unauthenticated: 0, heldBytes: 0 });
});

const retry = { timeoutMs: 60_000, initialDelayMs: 1, maxDelayMs: 1 };

test("retry waits for the server behind a proxy that is up before it", async (t) => {
  const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers });
  const ways: readonly ((socket: net.Socket) => void)[] = [
    (socket) => socket.end(),
    (socket) => socket.resetAndDestroy(),
    (socket) => socket.end("ZOCALO"),
    // The hello has arrived; the way behind the proxy then breaks.
    (socket) => socket.once("data", () => socket.end()),
  ];
  let connections = 0;
  const proxy = await foreign(t, (socket) => {
    const way = ways[connections++];
    if (way !== undefined) {
      way(socket);
      return;
    }
    const behind = net.connect(server.localAddress.port, "127.0.0.1").on("error", () => socket.destroy());
    socket.on("close", () => behind.destroy());
    socket.pipe(behind).pipe(socket);
  });
  const session = await connectSession(room, proxy, { retry });
  assert.equal(await session.remote.who(), "you");
  assert.equal(connections, ways.length + 1);
});

test("retry does not wait where nothing is to be waited for", async (t) => {
  const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers, authenticate: () => undefined });
  const refused = await errorOf(connectSession(room, server.localAddress, { retry }));
  assert.equal(refused.code, "UNAUTHENTICATED");
  assert.equal(server.stats.listener.accepted, 1);
  await server.close({ timeoutMs: 0 });

  const address = await foreign(t, (socket) => socket.end());
  const aborted = new AbortController();
  const stopped = connectSession(room, address, { retry, signal: aborted.signal }).catch((error: unknown) => error);
  const reason = new ConnectError("CONNECTION_REFUSED", { op: "test" });
  aborted.abort(reason);
  assert.equal(await stopped, reason);
});

test("a client that goes during its handshake closes the session that the server has made meanwhile", async () => {
  const telling = contract("telling", "1.0.0", { client: { told: event<number>() } });
  const going = new AbortController();
  const ended = gate<SessionEnd>();
  const server = await serveSessions(telling, "tcp://127.0.0.1:0", {
    authenticate: () => {
      // It has said hello, and waits for the answer.
      going.abort();
      return "somebody";
    },
    onOpen: (session) => void session.remote.told(1),
    onClose: (_session, end) => ended.open(end),
  });
  const options = { handlers: { told: () => assert.fail("there is no session") }, signal: going.signal };
  await assert.rejects(connectSession(telling, server.localAddress, options), { name: "AbortError" });
  const { error, lost } = await ended.opened;
  assert.equal(error, undefined);
  assert.deepEqual(lost, [{ kind: "event", method: "told", outcome: "not-sent" }]);
});

test("a client that goes before it says hello leaves no connection behind", async (t) => {
  const closed = gate();
  const remote = await foreign(t, (socket) => socket.on("close", () => closed.open()));
  const going = new AbortController();
  const auth = (): string => {
    going.abort();
    return "secret";
  };
  await assert.rejects(connectSession(room, remote, { auth, signal: going.signal }), { name: "AbortError" });
  await closed.opened;
});

test("a session that its client never heard of, since the journal is away, is told to nobody", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const journal = new FaultyJournal(memoryJournal({ clock }), clock);
  const told: string[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    journal,
    network: { ...nodeNetwork, clock },
    handlers,
    onOpen: () => told.push("open"),
    onClose: () => told.push("close"),
    onError: () => undefined,
  });
  const inTime = async <T>(asked: Promise<T>): Promise<T> => {
    const state = { isDone: false };
    const done = (): void => void (state.isDone = true);
    asked.then(done, done);
    while (!state.isDone) await clock.advance(10);
    return await asked;
  };
  journal.fault = (asked) => (asked === "commit" ? { outcome: "refused" } : undefined);
  const { code } = await inTime(errorOf(connectSession(room, server.localAddress)));
  assert.deepEqual([code, server.sessions.size], ["SERVER_BUSY", 0]);
  journal.fault = undefined;
  const session = await inTime(connectSession(room, server.localAddress));
  await inTime(session.close());
  await inTime(server.close());
  assert.deepEqual(told, ["open", "close"]);
  const { opened, ended } = server.stats;
  assert.deepEqual([opened, ended], [1, 1]);
});
