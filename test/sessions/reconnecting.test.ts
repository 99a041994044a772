import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { Address, nodeNetwork, type Sockets, ZocaloError } from "../../src/index.ts";
import { call, contract, type Reconnection } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { Detour } from "./detour.ts";
import { gate } from "../fixtures/gate.ts";
import { atEnd, connectSession, serveSessions } from "./opened.ts";
import { RawClient } from "./raw-client.ts";
import { portOf } from "../fixtures/port-of.ts";

/* What a client does when its server is not what it was. */

const room = contract("room", "1.0.0", { server: { who: call<void, string>() } });

/** A server that does one thing for each connection, in turn. */
async function serverOf(turns: readonly ((peer: RawClient) => Promise<void> | void)[]): Promise<string> {
  let count = 0;
  const listener = net.createServer((socket) => {
    const peer = new RawClient(socket);
    atEnd(() => peer.close());
    const turn = turns[count++];
    assert.ok(turn !== undefined, "one connection more than expected");
    void turn(peer);
  });
  listener.listen(0, "127.0.0.1");
  atEnd(() => listener.close());
  return `tcp://127.0.0.1:${await portOf(listener)}`;
}

const welcomeAndLeave = async (peer: RawClient): Promise<void> => {
  await peer.welcome({ offers: ["who"] });
  peer.close();
};

const reconnect = { initialDelayMs: 1, maxDelayMs: 1 };

test("a server that ends connections without a word for a while does not cost the session", async () => {
  const address = await serverOf([
    welcomeAndLeave,
    (peer) => void peer.socket.end(),
    (peer) => void peer.socket.end("ZOCALO"),
    async (peer) => {
      await peer.welcome({ offers: ["who"], received: 0 });
      const { payload } = await peer.frameOf(0x41);
      peer.send(0x42, Buffer.concat([payload.subarray(0, 4), Buffer.from('"ana"')]));
    },
  ]);
  const codes: unknown[] = [];
  const session = await connectSession(room, address, {
    reconnect,
    codecs: ["json"],
    onError: () => assert.fail("an outage is no error"),
    onReconnecting: (_session, { phase, attempt, lastError }) => {
      codes.push([phase, attempt, (lastError as { code?: unknown } | undefined)?.code]);
    },
  });
  assert.equal(await session.remote.who(), "ana");
  assert.deepEqual(codes, [
    ["waiting", 1, undefined],
    ["connecting", 1, undefined],
    ["waiting", 2, "END_OF_STREAM"],
    ["connecting", 2, "END_OF_STREAM"],
    ["waiting", 3, "END_OF_STREAM"],
    ["connecting", 3, "END_OF_STREAM"],
  ]);
});

// The rules are those of docs/semantics.md.
test("rule D5: a server that continues a session under another agreement has no client any more", async () => {
  const limits = { ...DEFAULT_LIMITS, maxMessageBytes: 64 };
  const address = await serverOf([welcomeAndLeave, (peer) => peer.welcome({ offers: ["who"], received: 0, limits })]);
  const session = await connectSession(room, address, { reconnect, codecs: ["json"] });
  const { error } = await session.closed;
  assert.equal(error?.code, "HANDSHAKE_INVALID");
  assert.match(error.message, /limit/);
});

test("a server that continues a session when its time is over at the client: the client asks for a new one", async () => {
  const [lost, asked, over] = [gate(), gate(), gate()];
  const answer = async (peer: RawClient): Promise<void> => {
    const { payload } = await peer.frameOf(0x41);
    // Ids begin again in a new session.
    assert.equal(payload.readUInt32BE(), 1);
    peer.send(0x42, Buffer.concat([payload.subarray(0, 4), Buffer.from('"ana"')]));
  };
  const address = await serverOf([
    async (peer) => {
      await peer.welcome({ offers: ["who"], keptMs: 300 });
      await answer(peer);
      peer.close();
    },
    async (peer) => {
      await once(peer.socket, "data");
      asked.open();
      await over.opened;
      await peer.welcome({ offers: ["who"], received: 1, epoch: 2 });
      await peer.untilEnd();
    },
    async (peer) => {
      await peer.welcome({ offers: ["who"], session: "s2" });
      await answer(peer);
    },
  ]);
  const clock = new ManualClock(nodeNetwork.clock);
  const told: unknown[] = [];
  const session = await connectSession(room, address, {
    reconnect,
    codecs: ["json"],
    network: { ...nodeNetwork, clock },
    onError: (error) => told.push((error as { code?: unknown }).code),
    onDetach: () => lost.open(),
    onReady: (_session, { reason }) => told.push(reason),
    onResume: () => told.push("resumed"),
  });
  assert.equal(await session.remote.who(), "ana");
  await lost.opened;
  await clock.advance(1);
  await asked.opened;
  await clock.advance(300);
  over.open();
  while (session.state !== "open") await clock.advance(1);
  assert.deepEqual([session.id, told], ["s2", ["first", "expired"]]);
  assert.equal(await session.remote.who(), "ana");
});

test("a session that the program ends when it is told of a loss makes no other connection", async () => {
  const cases = [
    { told: "onDetach", how: "abort", serverLeaves: false, connections: 1 },
    { told: "onDetach", how: "abort", serverLeaves: true, connections: 1 },
    { told: "onDetach", how: "close", serverLeaves: true, connections: 1 },
    { told: "onReconnecting", how: "abort", serverLeaves: false, connections: 2 },
  ] as const;
  for (const { told, how, serverLeaves, connections } of cases) {
    const clock = new ManualClock(nodeNetwork.clock);
    const network = { ...nodeNetwork, clock };
    const server = await serveSessions(room, "tcp://127.0.0.1:0", { network, handlers: { who: () => "ana" } });
    const detour = await Detour.to(server.localAddress.port);
    const end = (_session: unknown, again?: Reconnection): void => {
      if (again === undefined || again.lastError !== undefined) void session[how]();
    };
    const session = await connectSession(room, detour.address, { reconnect, network, [told]: end });
    assert.equal(await session.remote.who(), "ana");
    detour.closed = told === "onReconnecting";
    if (serverLeaves) await server.close({ reconnectSpreadMs: 0 });
    else detour.cut("reset");
    while (session.state !== "closed") await clock.advance(1);
    detour.closed = false;
    for (let count = 0; count < 50; count += 1) await clock.advance(10);
    assert.equal(detour.accepted, connections, `${told} ${how}`);
  }
});

test("an outage is a state: it can be read and listened to, and onError is told of nothing but what auth throws, once", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const network = { ...nodeNetwork, clock };
  const server = await serveSessions(room, "tcp://127.0.0.1:0", { network, handlers: { who: () => "ana" } });
  const detour = await Detour.to(server.localAddress.port);
  const errors: unknown[] = [];
  const told: Reconnection[] = [];
  let mistake: Error | undefined;
  const session = await connectSession(room, detour.address, {
    network,
    reconnect: { initialDelayMs: 100, maxDelayMs: 1_000, timeoutMs: 600_000 },
    auth() {
      if (mistake !== undefined) throw mistake;
      return "ana";
    },
    onError: (error) => errors.push(error),
    onReconnecting: (_session, reconnection) => told.push(reconnection),
  });
  const now = (): Reconnection | undefined => session.reconnection;
  assert.equal(now(), undefined);
  detour.closed = true;
  detour.cut("reset");
  while (told.length < 100) await clock.advance(50);
  assert.deepEqual(errors, []);
  assert.deepEqual(
    told.map(({ phase, attempt }) => [phase, attempt]),
    told.map((_each, index) => [index % 2 === 0 ? "waiting" : "connecting", 1 + Math.floor(index / 2)]),
  );
  assert.equal(told[0]?.lastError, undefined);
  for (const { phase, nextAttemptInMs, lastError } of told.slice(2)) {
    assert.ok(lastError instanceof ZocaloError);
    if (phase === "connecting") assert.equal(nextAttemptInMs, 0);
  }
  while (now()?.phase !== "waiting") await clock.advance(1);
  assert.ok((now()?.attempt ?? 0) >= 50 && (now()?.nextAttemptInMs ?? Infinity) <= 1_000);

  detour.closed = false;
  mistake = new Error("no credentials today");
  const seen = told.length;
  while (told.length < seen + 10) await clock.advance(50);
  assert.deepEqual([errors, told.at(-1)?.lastError], [[mistake], mistake]);
  mistake = undefined;
  while (session.state !== "open") await clock.advance(50);
  assert.equal(now(), undefined);
  const [served] = server.sessions.values();
  assert.equal(served?.reconnection, undefined);
});

test("a connection that meets itself costs no session, neither when it opens nor when it comes back", async () => {
  const vacant = net.createServer().listen(0, "127.0.0.1");
  const port = await portOf(vacant);
  vacant.close();
  await once(vacant, "close");
  const address = `tcp://127.0.0.1:${port}`;
  const opening = connectSession(room, address, { localAddress: `127.0.0.1:${port}`, retry: { timeoutMs: 1 } });
  await assert.rejects(opening, { code: "CONNECTION_REFUSED", side: "remote" });

  const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers: { who: () => "you" } });
  const detour = await Detour.to(server.localAddress.port);
  const own = Address.parse(address);
  let calls = 0;
  const connect: Sockets["connect"] = (target, options) => {
    calls += 1;
    // What the system does by chance while nobody listens.
    return calls === 2
      ? nodeNetwork.sockets.connect(own, { ...options, localAddress: own })
      : nodeNetwork.sockets.connect(target, options);
  };
  const network = { ...nodeNetwork, sockets: { ...nodeNetwork.sockets, connect } };
  const resumed = gate();
  const session = await connectSession(room, detour.address, {
    network,
    reconnect,
    onResume: () => resumed.open(),
  });
  detour.cut("reset");
  await resumed.opened;
  assert.equal(calls, 3);
  assert.equal(await session.remote.who(), "you");
});
