import assert from "node:assert/strict";
import { test } from "node:test";
import {
  call,
  contract,
  event,
  type ReadyReport,
  type ConnectSessionOptions,
  type ResumedReport,
  type ServeSessionsOptions,
  type SessionEnd,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { type NetworkOption, nodeNetwork } from "../../src/index.ts";
import { ManualClock } from "../../src/testing.ts";
import { type Cut, Detour } from "./detour.ts";
import { gate } from "../fixtures/gate.ts";
import { connectSession, serveSessions } from "./opened.ts";

const work = contract("work", "1.0.0", {
  server: {
    add: event<number>(),
    slow: call<string, string>(),
    sum: call<void, number>(),
    count: stream({ sends: typeOnly<number>(), receives: typeOnly<number>() }),
  },
  client: { tick: event<number>() },
});

type Server = typeof work.server;
type Client = typeof work.client;

interface Scene {
  readonly numbers: number[];
  /** Lets the calls of `slow` be answered. */
  readonly answer: (text: string) => void;
}

/** A network with a time that the test moves. */
function stopped() {
  const clock = new ManualClock(nodeNetwork.clock);
  return { clock, network: { ...nodeNetwork, clock } };
}

type Data = Record<string, unknown>;

async function serve(more: Partial<ServeSessionsOptions<Server, Client, Data>> & NetworkOption = {}) {
  const numbers: number[] = [];
  const answer = gate<string>();
  const server = await serveSessions(work, "tcp://127.0.0.1:0", {
    handlers: {
      add: (number) => void numbers.push(number),
      slow: async (text) => text + (await answer.opened),
      sum: () => numbers.reduce((sum, next) => sum + next, 0),
      count: async (_input, both) => {
        for await (const item of both) await both.send(item * 2);
      },
    },
    ...more,
  });
  const scene: Scene = { numbers, answer: answer.open };
  return { server, ...scene };
}

async function open(address: string, more: Partial<ConnectSessionOptions<Server, Client, Data>> & NetworkOption = {}) {
  const resumed = gate<ResumedReport>();
  const fresh = gate<ReadyReport>();
  const ended = gate<SessionEnd>();
  const session = await connectSession(work, address, {
    handlers: { tick: () => undefined },
    reconnect: { initialDelayMs: 5, maxDelayMs: 20 },
    onResume: (_session, report) => resumed.open(report),
    onReady: (_session, report) => void (report.reason === "first" || fresh.open(report)),
    onClose: (_session, end) => ended.open(end),
    ...more,
  });
  return { session, resumed: resumed.opened, fresh: fresh.opened, ended: ended.opened };
}

for (const how of ["reset", "fin"] satisfies Cut[]) {
  test(`a session survives a ${how}: events once and in order, calls and streams go on`, async () => {
    const { server, numbers, answer } = await serve();
    const detour = await Detour.to(server.localAddress.port);
    const { session, resumed } = await open(detour.address);
    const { id } = session;
    const slow = session.remote.slow("it is ");
    const count = session.remote.count();
    const items = count[Symbol.asyncIterator]();
    await count.send(1);
    assert.deepEqual(await items.next(), { done: false, value: 2 });
    for (let number = 1; number <= 500; number += 1) {
      await session.remote.add(number);
      if (number === 250) detour.cut(how);
    }
    await resumed;
    assert.equal(session.id, id);
    assert.equal(await session.remote.sum(), (500 * 501) / 2);
    assert.deepEqual(
      numbers,
      Array.from({ length: 500 }, (_, index) => index + 1),
    );
    answer("done");
    assert.equal(await slow, "it is done");
    await count.send(21);
    assert.deepEqual(await items.next(), { done: false, value: 42 });
    count.end();
    assert.equal((await items.next()).done, true);
    assert.equal(server.stats.resumed, 1);
    await session.close({ timeoutMs: 0 });
    await server.close({ timeoutMs: 0 });
    detour.close();
  });
}

test("a session survives many cuts while both sides send", async () => {
  const heard: number[] = [];
  const all = gate();
  const { server, numbers } = await serve({
    onOpen: async (session) => {
      for (let number = 1; number <= 3000; number += 1) await session.remote.tick(number);
    },
  });
  const detour = await Detour.to(server.localAddress.port);
  const { session } = await open(detour.address, {
    handlers: {
      tick: (number) => {
        heard.push(number);
        if (number === 3000) all.open();
      },
    },
  });
  for (let number = 1; number <= 3000; number += 1) {
    await session.remote.add(number);
    if (number % 500 === 0) {
      detour.cut(number % 1000 === 0 ? "reset" : "fin");
      // Another turn of the event loop for the loss to be seen.
      await session.remote.sum();
    }
  }
  await all.opened;
  assert.equal(await session.remote.sum(), (3000 * 3001) / 2);
  const expected = Array.from({ length: 3000 }, (_, index) => index + 1);
  assert.deepEqual(numbers, expected);
  assert.deepEqual(heard, expected);
  assert.ok(server.stats.resumed > 1);
  await session.close({ timeoutMs: 0 });
  await server.close({ timeoutMs: 0 });
  detour.close();
});

test("silence is noticed by the heartbeat, and the session goes on over another connection", async () => {
  const { clock, network } = stopped();
  const { server } = await serve({ network });
  const detour = await Detour.to(server.localAddress.port);
  const detached = gate();
  const { session, resumed } = await open(detour.address, { network, onDetach: () => detached.open() });
  detour.silent = true;
  void session.remote.add(1);
  // The default: after 15 s of silence a side asks, and waits as long again for an answer.
  await clock.advance(29_000);
  assert.equal(session.state, "open");
  await clock.advance(2000);
  await detached.opened;
  assert.equal(session.state, "detached");
  detour.silent = false;
  // An attempt that was made in the silence has its time-out first.
  while (server.stats.resumed === 0) await clock.advance(20);
  await resumed;
  assert.equal(await session.remote.sum(), 1);
  await session.close({ timeoutMs: 0 });
  await server.close({ timeoutMs: 0 });
  detour.close();
});

test("a server that was restarted: the client has a fresh session, and what was lost is reported", async () => {
  const first = await serve();
  const detour = await Detour.to(first.server.localAddress.port);
  const { session, fresh } = await open(detour.address);
  const { id, data } = session;
  data["name"] = "kept";
  await session.remote.sum();
  const slow = session.remote.slow("never");
  const outcome = assert.rejects(slow, { code: "SESSION_LOST", outcome: "unknown" });
  await session.remote.sum();
  // Another process at the same place: the detour leads to a server that knows nothing.
  const second = await serve();
  detour.leadTo(second.server.localAddress.port);
  detour.cut("reset");
  void session.remote.add(7);
  const report = await fresh;
  await outcome;
  assert.equal(report.reason, "server-restarted");
  assert.deepEqual(
    report.lost.map(({ kind, method }) => `${kind} ${method}`),
    ["event add", "call slow"],
  );
  assert.notEqual(session.id, id);
  assert.equal(session.data["name"], "kept");
  assert.equal(await session.remote.sum(), 0);
  await session.close({ timeoutMs: 0 });
  await first.server.close({ timeoutMs: 0 });
  await second.server.close({ timeoutMs: 0 });
  detour.close();
});

// The rules are those of docs/semantics.md.
test("rule D1: events that were acknowledged and not handled are lost with the process, and nobody is told", async () => {
  const busy = gate<string>();
  const numbers: number[] = [];
  const first = await serve({
    handlers: {
      add: async (number) => {
        numbers.push(number);
        await busy.opened;
      },
      slow: (text) => text,
      sum: () => 0,
      count: () => undefined,
    },
  });
  const detour = await Detour.to(first.server.localAddress.port);
  const { session, fresh } = await open(detour.address);
  for (const number of [1, 2, 3]) await session.remote.add(number);
  while (session.stats.unacknowledged > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(numbers, [1], "the others wait for their turn");
  const second = await serve();
  detour.leadTo(second.server.localAddress.port);
  detour.cut("reset");
  const { reason, lost } = await fresh;
  assert.deepEqual([reason, lost], ["server-restarted", []]);
  assert.equal(await session.remote.sum(), 0);
  busy.open("");
});

for (const share of [0.25, 0.75]) {
  test(`a client comes back after pauses drawn from 0 to a bound that doubles (full jitter), ${share} of it`, async () => {
    const { server } = await serve();
    const detour = await Detour.to(server.localAddress.port);
    const clock = new ManualClock(nodeNetwork.clock);
    const random = { next: () => share, bytes: (count: number) => nodeNetwork.random.bytes(count) };
    const failures: unknown[] = [];
    const { session } = await open(detour.address, {
      network: { ...nodeNetwork, clock, random },
      reconnect: { initialDelayMs: 100, maxDelayMs: 400 },
      onReconnecting: (_session, { phase, lastError }) => {
        if (phase === "waiting" && lastError !== undefined) failures.push(lastError);
      },
    });
    detour.closed = true;
    detour.cut("reset");
    while (session.state !== "detached") await clock.turn();
    const { accepted } = detour;
    for (const [index, boundMs] of [100, 200, 400, 400].entries()) {
      while (failures.length < index) await clock.turn();
      await clock.advance(boundMs * share - 1);
      assert.equal(detour.accepted, accepted + index);
      await clock.advance(1);
      while (detour.accepted === accepted + index) await clock.turn();
    }
  });
}

test("a client that gives up: the session is over, and calls say what is known", async () => {
  const { server } = await serve();
  const detour = await Detour.to(server.localAddress.port);
  const { clock, network } = stopped();
  const { session, ended } = await open(detour.address, {
    network,
    reconnect: { initialDelayMs: 5, maxDelayMs: 20, timeoutMs: 10_000 },
  });
  const slow = session.remote.slow("x");
  const outcome = assert.rejects(slow, { code: "SESSION_LOST" });
  await session.remote.sum();
  detour.closed = true;
  detour.cut("reset");
  while (session.state === "open") await clock.turn();
  // The last attempt may be a pause before that.
  await clock.advance(9_900);
  assert.equal(session.state, "detached");
  while (session.state === "detached") await clock.advance(20);
  await outcome;
  assert.ok(clock.now() <= 10_000, `it gave up after ${clock.now()} ms`);
  const end = await ended;
  assert.equal(end.error?.code, "SESSION_LOST");
  assert.equal(session.state, "closed");
  assert.equal((await session.closed).error?.code, "SESSION_LOST");
  await assert.rejects(session.remote.sum(), { code: "SESSION_LOST", outcome: "none" });
  await assert.rejects(session.remote.add(1), { code: "SESSION_LOST", outcome: "none" });
  await server.close({ timeoutMs: 0 });
  detour.close();
});

test("without reconnect the session ends with its connection", async () => {
  const { server } = await serve();
  const detour = await Detour.to(server.localAddress.port);
  const { session, ended } = await open(detour.address, { reconnect: false });
  detour.cut("reset");
  assert.equal((await ended).error?.code, "SESSION_LOST");
  assert.equal(session.signal.aborted, true);
  await server.close({ timeoutMs: 0 });
  detour.close();
});
