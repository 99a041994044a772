import assert from "node:assert/strict";
import { test } from "node:test";
import { FULFILLED } from "../../src/io/operation/handled-rejection.ts";
import { nodeNetwork } from "../../src/index.ts";
import { call, contract, event, type Session, type SessionEnd, type SessionServer } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { Detour } from "./detour.ts";
import { gate, nextTurn } from "../fixtures/gate.ts";
import { connectSession, serveSessions } from "./opened.ts";

/* Whatever ends a session, what was accepted before is handled to its end, and what was not is reported. */

const side = { tell: event<number>(), ask: call<number, number>() };
const mirror = contract("mirror", "1.0.0", { server: side, client: side });
type Either = Session<typeof side>;
type Handler = (number: number, context: { readonly session: Either }) => unknown;

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

/** What one side was told. */
interface Side {
  readonly handled: number[];
  readonly errors: unknown[];
  /** How its session ended; told once. */
  readonly ends: SessionEnd[];
}

/** The options of one side: its handler of events, and what it was told. */
function sideOf(handler: Handler = () => undefined) {
  const told: Side = { handled: [], errors: [], ends: [] };
  const options = {
    onError: (error: unknown) => void told.errors.push(error),
    onClose: (_session: unknown, end: SessionEnd) => void told.ends.push(end),
    handlers: {
      ask: (number: number) => number,
      async tell(number: number, context: { readonly session: Either }) {
        await handler(number, context);
        told.handled.push(number);
      },
    },
  };
  return { told, options };
}

interface Meeting {
  readonly clock: ManualClock;
  readonly client: Side;
  readonly server: Side;
  readonly session: Either;
  /** The same session at the server. */
  readonly served: Either;
  readonly detour: Detour;
  readonly serving: SessionServer<typeof side>;
}

/** A client and a server whose handlers of events do what the test wants, on a clock that stands still. */
async function meet(
  handlers: { readonly client?: Handler; readonly server?: Handler } = {},
  more: { readonly client?: object; readonly server?: object } = {},
): Promise<Meeting> {
  const clock = new ManualClock(nodeNetwork.clock);
  const network = { ...nodeNetwork, clock };
  const [client, server] = [sideOf(handlers.client), sideOf(handlers.server)];
  const serving = await serveSessions(mirror, "tcp://127.0.0.1:0", { ...server.options, network, ...more.server });
  const detour = await Detour.to(serving.localAddress.port);
  const session = await connectSession(mirror, detour.address, {
    ...client.options,
    network,
    reconnect: { initialDelayMs: 10, maxDelayMs: 10 },
    ...more.client,
  });
  const served = [...serving.sessions.values()][0] as Either;
  return { clock, client: client.told, server: server.told, session, served, detour, serving };
}

/** Waits until all that a session has sent is acknowledged. */
async function acknowledged(session: Either, clock: ManualClock): Promise<void> {
  while (session.stats.unacknowledged > 0) await clock.advance(10);
}

async function lose({ session, served, detour }: Meeting): Promise<void> {
  detour.cut("reset");
  while (session.state === "open" || served.state === "open") await nextTurn();
}

/** Handlers that take their time in all the ways that there are. */
const slowHandlers: Readonly<Record<string, Handler>> = {
  "for one tick": () => Promise.resolve(),
  "for a turn of the event loop": () => nextTurn(),
  "and throw": async () => {
    await nextTurn();
    throw new Error("thrown");
  },
  "and ask their own session": async (number, { session }) => {
    await session.remote.ask(number).catch(() => undefined);
  },
  "and wait until their own session is closed": async (_number, { session }) =>
    void (await session.close({ timeoutMs: 0 })),
  "and close their own session in order": async (_number, { session }) => void session.close(),
};

for (const [how, handler] of Object.entries(slowHandlers)) {
  for (const timeoutMs of [0, 5000]) {
    for (const from of ["client", "server"] as const) {
      test(`close within ${timeoutMs} ms by the ${from} loses nothing that it sent to handlers that work ${how}`, async () => {
        const other = from === "client" ? "server" : "client";
        let begun = 0;
        const counted: Handler = (number, context) => {
          assert.equal(number, begun);
          begun += 1;
          return handler(number, context);
        };
        const meeting = await meet({ [other]: counted });
        const one = from === "client" ? meeting.session : meeting.served;
        for (const number of numbers(1000)) assert.equal(one.remote.tell(number), FULFILLED);
        await one.close({ timeoutMs });
        const { lost, error } = await one.closed;
        assert.equal(error, undefined);
        // A handler that closes the session takes nothing from there on, and the sender is told so.
        assert.ok(how.includes("own session is") || how.includes("in order") || lost.length === 0);
        assert.ok(lost.every(({ outcome }) => outcome === "not-sent"));
        while (begun < 1000 - lost.length) await meeting.clock.turn();
        while (meeting[other].ends.length === 0) await meeting.clock.turn();
        assert.equal(meeting[other].ends[0]?.unhandled, 0);
      });
    }
  }
}

test("a broadcast in front of server.close is handled by clients that take their time", async () => {
  for (const timeoutMs of [5000, 0]) {
    const { client, serving, clock } = await meet({ client: nextTurn });
    for (const number of numbers(5)) {
      assert.deepEqual(serving.remote.tell(number), { sent: 1, waiting: 0, dropped: 0 });
    }
    await serving.close({ timeoutMs });
    while (client.handled.length < 5) await clock.turn();
    assert.deepEqual(client.handled, numbers(5));
  }
});

const ways = {
  close: (session: Either) => session.close(),
  "close at once": (session: Either) => session.close({ timeoutMs: 0 }),
  abort: (session: Either) => session.abort(),
};

for (const [way, end] of Object.entries(ways)) {
  test(`events that are acknowledged and wait for a slow handler are handled after ${way} of their sender`, async () => {
    const held = gate();
    const meeting = await meet({ server: () => held.opened }, { server: { resume: { resumeTimeoutMs: 1000 } } });
    const { session, served, server, clock } = meeting;
    for (const number of numbers(100)) void session.remote.tell(number);
    await acknowledged(session, clock);
    await end(session);
    assert.deepEqual((await session.closed).lost, []);
    // Nobody tells the server of an abort: its session ends when its time without a connection is up.
    while (served.state === "open") await nextTurn();
    await clock.advance(1000);
    assert.deepEqual([server.handled, server.ends], [[], []]);
    held.open();
    while (server.ends.length === 0) await clock.turn();
    assert.deepEqual(server.handled, numbers(100));
    assert.equal(server.ends[0]?.unhandled, 0);
  });
}

test("a session that is closed is `leaving` until its events are handled, and takes nothing new", async () => {
  const held = gate();
  const { session, served, clock } = await meet({ server: () => held.opened });
  void session.remote.tell(0);
  await acknowledged(session, clock);
  await session.close({ timeoutMs: 0, message: "bye" });
  assert.deepEqual([session.state, served.state], ["closed", "leaving"]);
  await assert.rejects(served.remote.tell(1), { code: "CLOSED", outcome: "none" });
  await assert.rejects(served.remote.ask(1), { code: "CLOSED", outcome: "none" });
  assert.equal(served.signal.aborted, false);
  held.open();
  const { message } = await served.closed;
  assert.deepEqual([message, served.state, served.signal.aborted], ["bye", "closed", true]);
});

test("both processes live, and the session expires: what was acknowledged is handled at both sides", async () => {
  const held = gate();
  const handler = (): Promise<void> => held.opened;
  const meeting = await meet({ client: handler, server: handler }, { server: { resume: { resumeTimeoutMs: 1000 } } });
  const { session, served, client, server, detour, clock } = meeting;
  for (const number of numbers(20)) {
    void session.remote.tell(number);
    void served.remote.tell(number);
  }
  await acknowledged(session, clock);
  await acknowledged(served, clock);
  detour.closed = true;
  await lose(meeting);
  await clock.advance(1000);
  assert.equal(session.state, "detached");
  held.open();
  while (client.handled.length < 20 || server.ends.length === 0) await clock.turn();
  assert.deepEqual([client.handled, server.handled], [numbers(20), numbers(20)]);
  const [end] = server.ends;
  assert.deepEqual([end?.error?.code, end?.lost, end?.unhandled], ["SESSION_LOST", [], 0]);
});

test("timeouts.finishMs bounds the handlers of a session that is over: what has not begun then is counted, and told", async () => {
  const { session, served, server, clock } = await meet(
    { server: () => new Promise(() => undefined) },
    { server: { timeouts: { finishMs: 2000 } } },
  );
  for (const number of numbers(10)) void session.remote.tell(number);
  await acknowledged(session, clock);
  await session.close({ timeoutMs: 0 });
  await clock.advance(1999);
  assert.deepEqual([server.ends, served.state], [[], "leaving"]);
  await clock.advance(1);
  const { unhandled, error } = await served.closed;
  assert.deepEqual([unhandled, error], [9, undefined]);
  assert.equal(server.errors.length, 1);
  assert.match(String(server.errors[0]), /SESSION_LOST: .*9 events were accepted and not handled/);
});

test("abort of this side gives up what it has accepted, and says how much that is", async () => {
  const held = gate();
  const { served, session, server, clock } = await meet({ server: () => held.opened });
  for (const number of numbers(10)) void session.remote.tell(number);
  await acknowledged(session, clock);
  served.abort();
  assert.equal(server.ends[0]?.unhandled, 9);
  held.open();
  await nextTurn();
  assert.deepEqual(server.handled, [0]);
});

test("abort gives up what a session still handles that the peer has closed; so does server.close", async () => {
  for (const end of ["abort", "close"] as const) {
    const { served, session, server, serving, clock } = await meet({ server: () => new Promise(() => undefined) });
    for (const number of numbers(10)) void session.remote.tell(number);
    await acknowledged(session, clock);
    await session.close({ timeoutMs: 0 });
    if (end === "abort") served.abort();
    else await serving.close({ timeoutMs: 0 });
    assert.equal((await served.closed).unhandled, 9);
    assert.equal(server.ends.length, 1);
  }
});

test("sessions that still handle what they had accepted make room for new ones of their address", async () => {
  const { session, served, detour, clock } = await meet(
    { server: () => new Promise(() => undefined) },
    { server: { limits: { maxSessionsPerAddress: 1 } } },
  );
  for (const number of numbers(3)) void session.remote.tell(number);
  await acknowledged(session, clock);
  await session.close({ timeoutMs: 0 });
  assert.equal(served.state, "leaving");
  const next = await connectSession(mirror, detour.address, sideOf().options);
  assert.equal(await next.remote.ask(1), 1);
  const { unhandled } = await served.closed;
  assert.equal(unhandled, 2);
});

test("close waits until there was room for the events that wait, and resolves their promises", async () => {
  const more = { limits: { windowBytes: 100 }, resume: { maxReplayMessages: 3 } };
  const { session, server } = await meet({ server: nextTurn }, { client: more, server: more });
  const sent = numbers(200).map(async (number) => await session.remote.tell(number));
  await session.close({ timeoutMs: 0 });
  await Promise.all(sent);
  assert.deepEqual((await session.closed).lost, []);
  while (server.ends.length === 0) await nextTurn();
  assert.deepEqual(server.handled, numbers(200));
});

test("close of a detached session waits until the other side is back, and everything has arrived", async () => {
  for (const timeoutMs of [0, 5000]) {
    for (const from of ["client", "server"] as const) {
      const meeting = await meet();
      const { session, served, detour, clock } = meeting;
      const one = from === "client" ? session : served;
      detour.closed = true;
      await lose(meeting);
      void one.remote.tell(1);
      const ended = one.close({ timeoutMs });
      await clock.advance(1000);
      assert.notEqual(one.state, "closed");
      detour.closed = false;
      while (one.state !== "closed") await clock.advance(10);
      await ended;
      assert.deepEqual((await one.closed).lost, []);
      const other = meeting[from === "client" ? "server" : "client"];
      while (other.handled.length === 0) await clock.advance(10);
      assert.deepEqual(other.handled, [1]);
    }
  }
});

test("close of a detached session whose peer does not come back ends after five seconds, and reports what is known", async () => {
  const meeting = await meet();
  const { session, detour, clock } = meeting;
  await session.remote.ask(1);
  detour.silent = true;
  void session.remote.tell(1);
  await nextTurn();
  detour.closed = true;
  await lose(meeting);
  void session.remote.tell(2);
  const ended = session.close({ timeoutMs: 0, message: "bye" });
  await clock.advance(4999);
  assert.equal(session.state, "leaving");
  await clock.advance(1);
  await ended;
  const { error, lost, message } = await session.closed;
  assert.deepEqual([error, message], [undefined, "bye"]);
  assert.deepEqual(lost, [
    { kind: "event", method: "tell", outcome: "unknown" },
    { kind: "event", method: "tell", outcome: "not-sent" },
  ]);
});

test("events that nobody awaits and that never got room are reported as not sent", async () => {
  const { served, serving } = await meet({}, { server: { resume: { maxReplayMessages: 2 } } });
  for (const number of numbers(5)) serving.remote.tell(number);
  served.abort();
  const { lost } = await served.closed;
  assert.deepEqual(
    lost.map(({ kind, method, outcome }) => `${kind} ${method} ${outcome}`),
    Array.from({ length: 5 }, () => "event tell not-sent"),
  );
});

test("a session that was closed by the server while it had no connection: its client is told when it comes back", async () => {
  const meeting = await meet();
  const { session, served, client, detour, clock } = meeting;
  detour.closed = true;
  await lose(meeting);
  await served.close({ timeoutMs: 0, message: "you are not welcome here" });
  void session.remote.tell(1);
  detour.closed = false;
  while (session.state !== "closed") await clock.advance(10);
  const { error, message, lost } = await session.closed;
  assert.deepEqual([error, message], [undefined, "you are not welcome here"]);
  assert.deepEqual(lost, [{ kind: "event", method: "tell", outcome: "not-sent" }]);
  assert.equal(client.ends.length, 1);
});

test("a server that says CLOSE on a connection which the client has given up says it again on the next one", async () => {
  const meeting = await meet();
  const { session, served, client, detour, clock } = meeting;
  await session.remote.ask(1);
  await acknowledged(served, clock);
  detour.silent = true;
  const closed = served.close({ timeoutMs: 0, message: "you are not welcome here" });
  assert.equal(served.state, "leaving");
  detour.silent = false;
  // The client alone loses its connection.
  detour.cutNear();
  while (session.state !== "closed") await clock.advance(10);
  await closed;
  assert.equal((await session.closed).message, "you are not welcome here");
  assert.equal(client.ends.length, 1);
});

test("what the server has to say to a client is forgotten with the time that sessions are kept", async () => {
  const meeting = await meet(
    {},
    { server: { resume: { resumeTimeoutMs: 1000 } }, client: { reconnect: { initialDelayMs: 2000 } } },
  );
  const { session, served, detour, clock } = meeting;
  detour.closed = true;
  await lose(meeting);
  await served.close({ timeoutMs: 0, message: "you are not welcome here" });
  await clock.advance(1000);
  detour.closed = false;
  while (session.state !== "open") await clock.advance(100);
  await session.remote.ask(1);
});
