import assert from "node:assert/strict";
import { test } from "node:test";
import { FULFILLED } from "../../src/io/operation/handled-rejection.ts";
import { nodeNetwork } from "../../src/index.ts";
import {
  bytes,
  call,
  contract,
  event,
  type ReadyReport,
  type LostMessage,
  type OverflowPolicy,
  type SessionEnd,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { Detour } from "./detour.ts";
import { gate, nextTurn } from "../fixtures/gate.ts";
import { connectSession, serveSessions } from "./opened.ts";

/* A client whose session is over and that makes another one by itself: what it is asked for meanwhile waits for that one. */

const counter = contract("counter", "1.0.0", {
  server: {
    count: event<number>(),
    blob: event(bytes),
    sum: call<number, number>(),
    flow: stream({ sends: typeOnly<number>() }),
  },
  client: { tick: event<number>() },
});

const ignore = (): void => undefined;

/** Serves, and tells what it was told. */
async function serve(clock: ManualClock, more: object = {}) {
  const log: unknown[] = [];
  const server = await serveSessions(counter, "tcp://127.0.0.1:0", {
    network: { ...nodeNetwork, clock },
    handlers: {
      count: (number) => void log.push(number),
      blob: (data) => void log.push(Buffer.from(data).toString()),
      sum: (number) => {
        log.push(`sum ${number}`);
        return log.length;
      },
      flow: () => [],
    },
    ...more,
  });
  return { server, log };
}

/** A client whose first server has left; the second one is there as soon as `back` is called. */
async function between(more: object = {}, first: object = {}) {
  const clock = new ManualClock(nodeNetwork.clock);
  const { server, log } = await serve(clock, first);
  const detour = await Detour.to(server.localAddress.port);
  const told: string[] = [];
  const ends: SessionEnd[] = [];
  const session = await connectSession(counter, detour.address, {
    network: { ...nodeNetwork, clock },
    reconnect: { initialDelayMs: 10, maxDelayMs: 10 },
    handlers: { tick: ignore },
    onReady: (_session, { reason, lost }: ReadyReport) => void told.push(`${reason} ${lost.length}`),
    onClose: (_session, end) => void ends.push(end),
    ...more,
  });
  await session.remote.sum(0);
  detour.closed = true;
  await server.close({ reconnectSpreadMs: 0 });
  while (session.state !== "detached") await clock.turn();
  const back = async (options: object = {}) => {
    const second = await serve(clock, options);
    detour.leadTo(second.server.localAddress.port);
    detour.closed = false;
    return second;
  };
  return { clock, session, told, ends, back, detour, first: log };
}

test("calls and events that are made while a server that has left is away wait for the next session, in their order", async () => {
  const { clock, session, told, back } = await between();
  const buffer = Buffer.from("as it was given");
  const events = [session.remote.count(1), session.remote.blob(buffer)];
  const sum = session.remote.sum(2);
  events.push(session.remote.count(3));
  buffer.fill("x");
  await clock.advance(1000);
  assert.ok(events.every((sent) => sent instanceof Promise));
  const { log } = await back();
  while (session.state !== "open") await clock.advance(10);
  await Promise.all(events.map(async (sent) => await sent));
  assert.equal(await sum, 3);
  await session.remote.sum(4);
  assert.deepEqual(log, [1, "as it was given", "sum 2", 3, "sum 4"]);
  assert.deepEqual(told, ["first 0", "server-left 0"]);
});

test("what onReady sends comes before what has waited", async () => {
  const options = {
    onReady: (session: { readonly remote: { count(number: number): unknown } }) => void session.remote.count(0),
  };
  const { clock, session, back } = await between(options);
  void session.remote.count(1);
  const { log } = await back();
  while (log.length < 2) await clock.advance(10);
  assert.deepEqual(log, [0, 1]);
});

test("a client that counts through a rolling restart: each number is counted once, or its sender is told", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const first = await serve(clock);
  const detour = await Detour.to(first.server.localAddress.port);
  const lost: LostMessage[] = [];
  const session = await connectSession(counter, detour.address, {
    network: { ...nodeNetwork, clock },
    reconnect: { initialDelayMs: 10, maxDelayMs: 10 },
    handlers: { tick: ignore },
    onReady: (_session, report) => void lost.push(...report.lost),
  });
  const untold: number[] = [];
  const codes = new Set<unknown>();
  let number = 0;
  const count = async (): Promise<void> => {
    const mine = (number += 1);
    try {
      await session.remote.count(mine);
      untold.push(mine);
    } catch (error) {
      codes.add((error as { code: unknown }).code);
    }
  };
  const counting: Promise<void>[] = [];
  for (let round = 0; round < 20; round += 1) {
    counting.push(count());
    await clock.advance(5);
  }
  const draining = first.server.close({ reconnectSpreadMs: 100 });
  for (let round = 0; round < 20; round += 1) {
    counting.push(count());
    await clock.advance(5);
  }
  await draining;
  const second = await serve(clock);
  detour.leadTo(second.server.localAddress.port);
  while (session.state !== "open") {
    counting.push(count());
    await clock.advance(5);
  }
  await Promise.all(counting);
  await session.remote.sum(0);
  const counted = [...first.log, ...second.log].filter((one) => typeof one === "number");
  // Those that crossed the GOAWAY: their senders are told by `onReady`.
  assert.ok(lost.every(({ kind, outcome }) => kind === "event" && outcome === "not-sent"));
  assert.equal(new Set(counted).size, untold.length - lost.length);
  assert.ok(counted.every((one) => untold.includes(one)));
  // Only between the GOAWAY and the end of the session: nobody knew then how long it would still take.
  assert.ok(codes.size === 0 || (codes.size === 1 && codes.has("SESSION_LOST")), [...codes].join());
});

test("a call that waits for the next session keeps its time and its signal", async () => {
  const { clock, session } = await between();
  const controller = new AbortController();
  const late = assert.rejects(session.remote.sum(1, { timeoutMs: 500 }), { code: "TIMEOUT", outcome: "none" });
  const aborted = assert.rejects(session.remote.sum(2, { signal: controller.signal }), { message: "enough" });
  controller.abort(new Error("enough"));
  await aborted;
  await clock.advance(500);
  await late;
  await assert.rejects(session.remote.sum(3, { timeoutMs: 0 }), { code: "TIMEOUT", outcome: "none" });
});

test("a value that cannot be sent is refused at once", async () => {
  const { session } = await between();
  const wrong = (() => undefined) as never;
  await assert.rejects(session.remote.count(wrong), { code: "FRAME_INVALID", outcome: "none" });
  await assert.rejects(session.remote.sum(wrong), { code: "FRAME_INVALID", outcome: "none" });
});

test("a stream does not wait: it fails with SESSION_LOST, and was not opened", async () => {
  const { session } = await between();
  await assert.rejects(
    async () => {
      for await (const item of session.remote.flow()) assert.fail(`item ${item}`);
    },
    { code: "SESSION_LOST", outcome: "none" },
  );
});

const endings = {
  "close at once": ["CLOSED", undefined],
  abort: ["CONNECTION_ABORTED", "CONNECTION_ABORTED"],
} as const;
for (const [way, [code, error]] of Object.entries(endings)) {
  test(`${way} between two sessions rejects what waits with ${code}, and says that it was not sent`, async () => {
    const { session, ends } = await between();
    const [told, asked] = [session.remote.count(1), session.remote.sum(2)];
    await (way === "abort" ? session.abort() : session.close({ timeoutMs: 0 }));
    await assert.rejects(told, { code, outcome: "none" });
    await assert.rejects(asked, { code, outcome: "none" });
    assert.deepEqual([session.state, ends[0]?.error?.code], ["closed", error]);
  });
}

test("close between two sessions waits for the next one, and for what it is asked; at most for its time", async () => {
  for (const isBack of [true, false]) {
    const { clock, session, back } = await between();
    const told = session.remote.count(1);
    const asked = session.remote.sum(2).catch((error: unknown) => (error as { code: unknown }).code);
    const draining = session.close({ timeoutMs: 2000 });
    const { log } = isBack ? await back() : { log: [] };
    while (session.state !== "closed") await clock.advance(10);
    await draining;
    assert.equal(await asked, isBack ? 2 : "CLOSED");
    if (isBack) await told;
    else await assert.rejects(told, { code: "CLOSED" });
    assert.deepEqual(log, isBack ? [1, "sum 2"] : []);
    assert.equal(clock.now() >= 2000, !isBack);
  }
});

test("close between two sessions ends at once when nothing waits", async () => {
  const { session } = await between();
  await session.close();
  assert.equal(session.state, "closed");
});

test("a client that is refused for good when it comes back ends with that code, and so does what waits", async () => {
  const { clock, session, back } = await between();
  const told = session.remote.count(1);
  await back({ authenticate: () => undefined });
  while (session.state !== "closed") await clock.advance(10);
  await assert.rejects(told, { code: "UNAUTHENTICATED", outcome: "none" });
  await assert.rejects(session.remote.sum(1), { code: "UNAUTHENTICATED", outcome: "none" });
  const { error, message } = await session.closed;
  assert.deepEqual([error?.code, error?.side], ["UNAUTHENTICATED", "remote"]);
  assert.match(message, /does not accept/);
});

test("a client that gives up has SESSION_LOST for what waits", async () => {
  const { clock, session } = await between({ reconnect: { initialDelayMs: 10, maxDelayMs: 10, timeoutMs: 1000 } });
  const told = session.remote.count(1);
  while (session.state !== "closed") await clock.advance(10);
  await assert.rejects(told, { code: "SESSION_LOST", outcome: "none" });
});

test("overflow holds between two sessions too", async () => {
  const expected: Readonly<Record<OverflowPolicy, readonly [dropped: number, first: number | undefined]>> = {
    block: [0, 1],
    strict: [0, undefined],
    "drop-oldest": [10, 11],
    "drop-newest": [10, 1],
  };
  for (const [overflow, [dropped, firstNumber]] of Object.entries(expected)) {
    const { clock, session, back } = await between({ overflow });
    const sent = Array.from({ length: 1034 }, (_, index) => session.remote.count(index + 1));
    for (const one of sent) one?.catch(ignore);
    assert.equal(session.stats.droppedEvents, dropped, overflow);
    if (overflow === "strict") await assert.rejects(sent[0] as Promise<void>, { code: "QUEUE_FULL", outcome: "none" });
    const { log } = await back();
    while (session.state !== "open") await clock.advance(10);
    await session.remote.sum(0);
    const counted = log.filter((one) => typeof one === "number");
    assert.deepEqual([counted[0], counted.length], [firstNumber, firstNumber === undefined ? 0 : 1034 - dropped]);
  }
});

test("an event that nobody awaits and that waits in vain is reported as not sent", async () => {
  const { session, ends } = await between({ overflow: "drop-newest" });
  assert.equal(session.remote.count(1), FULFILLED);
  session.abort();
  assert.deepEqual(ends[0]?.lost, [{ kind: "event", method: "count", outcome: "not-sent" }]);
});

test("events of a server that has left are handled, also when their handlers ask their own session", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const first = await serve(clock);
  const detour = await Detour.to(first.server.localAddress.port);
  const ticks: number[] = [];
  const session = await connectSession(counter, detour.address, {
    network: { ...nodeNetwork, clock },
    reconnect: { initialDelayMs: 10, maxDelayMs: 10 },
    handlers: {
      tick: async (number, { session: own }) => {
        // In front of the end the server takes nothing new, and says so.
        await own.remote.sum(number).catch(ignore);
        ticks.push(number);
      },
    },
  });
  for (let number = 1; number <= 5; number += 1) first.server.remote.tick(number);
  await first.server.close({ timeoutMs: 0 });
  while (session.state !== "detached") await nextTurn();
  const second = await serve(clock);
  detour.leadTo(second.server.localAddress.port);
  while (ticks.length < 5) await clock.advance(10);
  assert.deepEqual(ticks, [1, 2, 3, 4, 5]);
});

/** A client whose server has left, and that is in the middle of the first of five events. */
async function busyBetween() {
  const clock = new ManualClock(nodeNetwork.clock);
  const { server } = await serve(clock);
  const detour = await Detour.to(server.localAddress.port);
  const ticks: number[] = [];
  const { open: goOn, opened: goingOn } = gate();
  const session = await connectSession(counter, detour.address, {
    network: { ...nodeNetwork, clock },
    handlers: {
      tick: async (number) => {
        ticks.push(number);
        await goingOn;
      },
    },
  });
  for (let number = 1; number <= 5; number += 1) server.remote.tick(number);
  detour.closed = true;
  await server.close({ reconnectSpreadMs: 0 });
  while (session.state !== "detached") await clock.turn();
  return { clock, session, ticks, goOn };
}

test("a session that is closed between two is over when the events of the one before are handled", async () => {
  for (const timeoutMs of [0, 5000]) {
    const { clock, session, ticks, goOn } = await busyBetween();
    const ended = session.close({ timeoutMs });
    while (session.state === "detached") await clock.turn();
    assert.deepEqual([session.state, ticks], ["leaving", [1]], String(timeoutMs));
    await assert.rejects(session.remote.sum(1), { code: "CLOSED", outcome: "none" });
    goOn();
    await ended;
    const { unhandled, error } = await session.closed;
    assert.deepEqual(
      [ticks, unhandled, error, session.state],
      [[1, 2, 3, 4, 5], 0, undefined, "closed"],
      String(timeoutMs),
    );
  }
});

test("what is given up between two sessions is counted", async () => {
  const aborted = await busyBetween();
  aborted.session.abort();
  assert.equal((await aborted.session.closed).unhandled, 4);
  aborted.goOn();
  await nextTurn();
  assert.deepEqual(aborted.ticks, [1]);
});

test("close of a client between two sessions waits for handlers within its time, and gives up none of the events", async () => {
  const { clock, session, ticks, goOn } = await busyBetween();
  const closing = session.close({ timeoutMs: 100 });
  await clock.advance(99);
  let isDone = false;
  void closing.then(() => {
    isDone = true;
  });
  await clock.turn();
  assert.equal(isDone, false);
  await clock.advance(1);
  assert.equal((await closing).how, "closed");
  assert.equal(session.state, "leaving");
  goOn();
  assert.deepEqual([(await session.closed).unhandled, ticks], [0, [1, 2, 3, 4, 5]]);
});
