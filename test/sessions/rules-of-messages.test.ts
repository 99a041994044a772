import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytes,
  call,
  contract,
  event,
  type ConnectSessionOptions,
  type SessionEnd,
  typeOnly,
} from "../../src/protocol.ts";
import { FULFILLED } from "../../src/io/operation/handled-rejection.ts";
import { nodeNetwork } from "../../src/index.ts";
import { ManualClock } from "../../src/testing.ts";
import { Detour } from "./detour.ts";
import { gate, nextTurn } from "../fixtures/gate.ts";
import { connectSession, serveSessions } from "./opened.ts";

/* docs/semantics.md, rules D1, D2, D7, D8, D9 and D10, over TCP. */

/** Options with a time that the test moves. */
function stopped() {
  const clock = new ManualClock(nodeNetwork.clock);
  return { clock, network: { network: { ...nodeNetwork, clock } } };
}

/** A contract whose server does what the tests ask for, and a log of what it did. */
const desk = contract("desk", "1.0.0", {
  server: {
    note: event<string>(),
    hold: event<string>(),
    work: call<string, string>(),
    turn: call(typeOnly<string>(), typeOnly<string>(), { order: "serial" }),
    sync: call(),
    blob: event(bytes),
  },
  client: { ask: call<string, string>() },
});

async function start(more: { readonly server?: object; readonly client?: object } = {}) {
  const log: string[] = [];
  const held = gate();
  const errors: unknown[] = [];
  const server = await serveSessions(desk, "tcp://127.0.0.1:0", {
    onError: (error) => errors.push(error),
    handlers: {
      note: (text) => void log.push(text),
      hold: async (text) => {
        log.push(`${text} begins`);
        await held.opened;
        log.push(`${text} ends`);
      },
      work: async (text) => {
        log.push(`${text} begins`);
        await held.opened;
        return text;
      },
      turn: (text) => {
        log.push(text);
        return text;
      },
      sync: () => undefined,
      blob: async () => await held.opened,
    },
    ...more.server,
  });
  const detour = await Detour.to(server.localAddress.port);
  const options: ConnectSessionOptions<typeof desk.server, typeof desk.client, Record<string, unknown>> = {
    reconnect: { initialDelayMs: 1, maxDelayMs: 5 },
    handlers: { ask: async (text) => `${text}!` },
    ...more.client,
  };
  const session = await connectSession(desk, detour.address, options);
  return { server, session, detour, log, errors, release: held.open };
}

test("rule D1: acknowledged is not handled: an event that waits on the lane is not unacknowledged any more", async () => {
  const { session, server } = await start();
  await session.remote.hold("first");
  await session.remote.note("second");
  while (session.stats.unacknowledged > 0) await nextTurn();
  assert.ok(([...server.sessions.values()][0]?.stats.heldBytes ?? 0) > 0);
});

test("rule D1: an aborted session reports what was not acknowledged, and events without a number as not sent", async () => {
  const ended = gate<SessionEnd>();
  const { session, detour } = await start({
    client: {
      resume: { maxReplayMessages: 2 },
      reconnect: { initialDelayMs: 60_000 },
      onClose: (_session: unknown, end: SessionEnd) => ended.open(end),
    },
  });
  await session.remote.sync();
  while (session.stats.unacknowledged > 0) await nextTurn();
  detour.cut("reset");
  while (session.state === "open") await nextTurn();
  assert.equal(session.remote.note("a"), FULFILLED);
  const work = session.remote.work("b");
  const waiting = session.remote.note("c");
  const late = session.remote.work("d");
  assert.ok(waiting instanceof Promise);
  session.abort("enough");
  await assert.rejects(work, { code: "CONNECTION_ABORTED", outcome: "none" });
  await assert.rejects(waiting, { code: "CONNECTION_ABORTED", outcome: "none" });
  await assert.rejects(late, { code: "CONNECTION_ABORTED", outcome: "none" });
  const { lost, error } = await ended.opened;
  assert.equal(error?.code, "CONNECTION_ABORTED");
  assert.deepEqual(lost, [
    { kind: "event", method: "note", outcome: "not-sent" },
    { kind: "call", method: "work", outcome: "not-sent" },
  ]);
});

test("rule D2: block: a full replay buffer lets senders wait, and loses nothing", async () => {
  const { session, log } = await start({ client: { resume: { maxReplayMessages: 4 } } });
  const waits = Array.from({ length: 100 }, (_, index) => session.remote.note(String(index)));
  assert.equal(waits.filter((wait) => wait === FULFILLED).length, 4);
  await Promise.all(waits.map(async (wait) => await wait));
  await session.remote.sync();
  assert.deepEqual(
    log,
    waits.map((_, index) => String(index)),
  );
});

test("rule D2: strict: without room an event is rejected with QUEUE_FULL", async () => {
  const { session, log } = await start({ client: { resume: { maxReplayMessages: 4 }, overflow: "strict" } });
  const sent = Array.from({ length: 5 }, (_, index) => session.remote.note(String(index)));
  await assert.rejects(sent[4] as Promise<void>, { code: "QUEUE_FULL", outcome: "none" });
  await session.remote.sync();
  assert.deepEqual(log, ["0", "1", "2", "3"]);
});

test("rule D2: drop-oldest and drop-newest drop before a number is given, and count it", async () => {
  for (const overflow of ["drop-oldest", "drop-newest"] as const) {
    const { session, log } = await start({ client: { resume: { maxReplayMessages: 4 }, overflow } });
    const total = 4 + 1024 + 10;
    for (let index = 0; index < total; index += 1) assert.equal(session.remote.note(String(index)), FULFILLED);
    assert.equal(session.stats.droppedEvents, 10);
    while (log.length < total - 10) await session.remote.sync();
    const dropped = overflow === "drop-oldest" ? 4 : total - 10;
    const expected = Array.from({ length: total }, (_, index) => index).filter(
      (index) => index < dropped || index >= dropped + 10,
    );
    assert.deepEqual(log, expected.map(String));
  }
});

test("rule D2: drop-oldest keeps the newest event where maxHeldBytesPerSession is reached, if older ones make room", async () => {
  const options = {
    resume: { maxReplayMessages: 4 },
    overflow: "drop-oldest",
    limits: { maxHeldBytesPerSession: 20_000 },
  } as const;
  const { session, log } = await start({ client: options });
  const total = 500;
  const pad = "x".repeat(100);
  for (let index = 0; index < total; index += 1) await session.remote.note(`${index} ${pad}`);
  const { droppedEvents } = session.stats;
  assert.ok(droppedEvents > 0 && droppedEvents < total - 100, `${droppedEvents} were dropped`);
  while (log.length < total - droppedEvents) await session.remote.sync();
  const numbers = log.map((note) => Number.parseInt(note, 10));
  const all = Array.from({ length: total }, (_, index) => index);
  assert.deepEqual(numbers, [...all.slice(0, 4), ...all.slice(4 + droppedEvents)]);
});

test("rule D2: messages that stay unacknowledged past replayMaxAgeMs end the session with REPLAY_OVERFLOW", async () => {
  const ended = gate<SessionEnd>();
  const { clock, network } = stopped();
  const { session, detour } = await start({
    client: {
      ...network,
      resume: { maxReplayAgeMs: 50 },
      reconnect: false,
      onClose: (_session: unknown, end: SessionEnd) => ended.open(end),
    },
  });
  await session.remote.sync();
  while (session.stats.unacknowledged > 0) await nextTurn();
  detour.silent = true;
  void session.remote.note("never arrives");
  await clock.advance(49);
  assert.equal(session.state, "open");
  await clock.advance(1);
  const { error, lost } = await ended.opened;
  assert.equal(error?.code, "REPLAY_OVERFLOW");
  assert.deepEqual(lost, [{ kind: "event", method: "note", outcome: "unknown" }]);
});

test("rule D7: a call whose time was up without a connection is counted and not started", async () => {
  const { clock, network } = stopped();
  const { session, detour, log } = await start({
    client: { ...network, reconnect: { initialDelayMs: 60, maxDelayMs: 60 } },
  });
  detour.cut("reset");
  while (session.state === "open") await nextTurn();
  const late = assert.rejects(session.remote.work("late", { timeoutMs: 5 }), { code: "TIMEOUT" });
  // The attempt to connect again comes later than that: on a clock that stands still it cannot come before.
  detour.closed = true;
  await clock.advance(5);
  await late;
  detour.closed = false;
  const { accepted } = detour;
  const synced = session.remote.sync();
  while (detour.accepted === accepted) await clock.advance(60);
  await synced;
  assert.deepEqual(log, []);
});

test("rule D7: the remaining time travels with the call, and its handler is told when it is up", async () => {
  const remaining: number[] = [];
  const told = gate();
  const { clock, network } = stopped();
  const { session } = await start({
    client: network,
    server: {
      ...network,
      handlers: {
        note: () => undefined,
        hold: () => undefined,
        turn: (text: string) => text,
        sync: () => undefined,
        blob: () => undefined,
        work: (_text: string, context: { readonly remainingMs: number; readonly signal: AbortSignal }) => {
          remaining.push(context.remainingMs);
          return new Promise((resolve) => {
            context.signal.addEventListener("abort", () => {
              told.open();
              resolve("nobody hears this");
            });
          });
        },
      },
    },
  });
  const late = assert.rejects(session.remote.work("x", { timeoutMs: 40 }), { code: "TIMEOUT", outcome: "unknown" });
  while (remaining.length === 0) await nextTurn();
  assert.deepEqual(remaining, [40]);
  await clock.advance(40);
  await late;
  await told.opened;
});

test("rule D8: drain says GOAWAY: what runs is finished, later calls are not sent, clients come back in their own time", async () => {
  const { session, server, log, release } = await start();
  const running = session.remote.work("first");
  while (log.length === 0) await nextTurn();
  const draining = server.close({ timeoutMs: 10_000, reconnectSpreadMs: 1 });
  while (session.state === "open") await nextTurn();
  assert.equal(session.state, "leaving");
  const rejected = session.remote.work("second", { whileAway: "reject" });
  await assert.rejects(rejected, { code: "SESSION_AWAY", outcome: "none" });
  // It waits for the next session, which does not come in this time.
  const late = session.remote.work("third", { timeoutMs: 100 });
  release();
  assert.equal(await running, "first");
  await assert.rejects(late, { code: "TIMEOUT", outcome: "none", message: /within 100 ms/ });
  const { finished, cut } = await draining;
  assert.deepEqual({ finished, cut }, { finished: 1, cut: 0 });
  assert.deepEqual(log, ["first begins"]);
});

test("rule D8: what is not finished in the time of drain is cut, and counted", async () => {
  const { clock, network } = stopped();
  const { session, server, log } = await start({ server: network, client: { reconnect: false } });
  const running = session.remote.work("first");
  while (log.length === 0) await nextTurn();
  const draining = server.close({ timeoutMs: 20 });
  await clock.advance(20);
  const report = await draining;
  assert.deepEqual([report.finished, report.cut], [0, 1]);
  await assert.rejects(running, { code: "CLOSED", outcome: "unknown" });
});

test("rule D9: events run one after the other, and handlers start in the order of the wire", async () => {
  const { session, log, release } = await start();
  await session.remote.hold("a");
  await session.remote.note("b");
  const work = session.remote.work("c");
  const turn = session.remote.turn("d");
  await session.remote.note("e");
  while (log.length === 0) await nextTurn();
  assert.deepEqual(log, ["a begins"]);
  release();
  assert.deepEqual([await work, await turn], ["c", "d"]);
  await session.remote.sync();
  assert.deepEqual(log, ["a begins", "a ends", "b", "c begins", "d", "e"]);
});

test("rule D9: calls run beside each other, up to maxConcurrentCalls", async () => {
  const { session, server, log, release } = await start({ server: { limits: { maxConcurrentCalls: 3 } } });
  const answers = Promise.all(["a", "b", "c", "d", "e"].map((text) => session.remote.work(text)));
  while (log.length < 3) await nextTurn();
  const [served] = [...server.sessions.values()];
  assert.equal(await served?.remote.ask("still there"), "still there!");
  assert.equal(served?.stats.runningCalls, 3);
  assert.deepEqual(log, ["a begins", "b begins", "c begins"]);
  release();
  assert.deepEqual(await answers, ["a", "b", "c", "d", "e"]);
});

test("rule D9: a call for which there is no room waits, and an event behind it does not", async () => {
  const { session, log, release } = await start({ server: { limits: { maxCalls: 1 } } });
  const [work, later] = [session.remote.work("a"), session.remote.work("c")];
  await session.remote.note("b");
  while (log.length < 2) await nextTurn();
  assert.deepEqual(log, ["a begins", "b"]);
  release();
  assert.deepEqual([await work, await later], ["a", "c"]);
  assert.deepEqual(log, ["a begins", "b", "c begins"]);
});

test("rule D9: answers, cancels and pings do not wait behind a handler, nor behind credit", async () => {
  const { clock, network } = stopped();
  const { session, server } = await start({
    server: { ...network, limits: { windowBytes: 1000 } },
    client: network,
  });
  const [served] = [...server.sessions.values()];
  // The lane of the server is taken, and the window of the client is used up.
  void session.remote.blob(new Uint8Array(2000));
  const blocked = session.remote.blob(new Uint8Array(2000));
  assert.ok(blocked instanceof Promise);
  assert.equal(await served?.remote.ask("do you hear me"), "do you hear me!");
  const controller = new AbortController();
  const asked = served?.remote.ask("forget it", { signal: controller.signal });
  controller.abort(new Error("forgotten"));
  await assert.rejects(asked as Promise<string>, { message: "forgotten" });
  // The default heartbeat.
  await clock.advance(15_000);
  while (served?.stats.roundTripMs === undefined) await nextTurn();
  assert.equal(session.state, "open");
  void blocked.catch(() => undefined);
});

test("rule D10: a side without all its handlers does not open, and one with too many neither", async () => {
  const { note, ...rest } = { note: () => undefined, hold: () => undefined } as Record<string, () => undefined>;
  assert.ok(note);
  const wrong = { code: "OPTION_INVALID" };
  await assert.rejects(serveSessions(desk, "tcp://127.0.0.1:0", { handlers: rest as never }), wrong);
  await assert.rejects(connectSession(desk, "tcp://127.0.0.1:1", { handlers: {} as never }), wrong);
  const surplus = { ask: () => "", other: () => "" };
  await assert.rejects(connectSession(desk, "tcp://127.0.0.1:1", { handlers: surplus }), wrong);
});
