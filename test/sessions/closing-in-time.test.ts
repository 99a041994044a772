import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeNetwork } from "../../src/index.ts";
import { call, contract, event, type Session, stream, typeOnly } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { Detour } from "./detour.ts";
import { gate, nextTurn } from "../fixtures/gate.ts";
import { connectSession, serveSessions } from "./opened.ts";
import { RawClient } from "./raw-client.ts";

/* What `close` waits for, whether or not there is a connection, and whether its report is true. */

const work = contract("work", "1.0.0", {
  server: {
    job: call<void, string>(),
    note: event<number>(),
    flow: stream({ sends: typeOnly<number>(), receives: typeOnly<number>() }),
    hello: call(),
  },
  client: { confirm: call<void, string>(), tell: event<number>() },
});
type Client = Session<typeof work.server>;
type Served = Session<typeof work.client>;

/** A server and a client whose handlers wait for the test, on a clock that stands still. */
async function meet() {
  const clock = new ManualClock(nodeNetwork.clock);
  const network = { ...nodeNetwork, clock };
  const [held, log] = [gate(), [] as string[]];
  const step = (name: string) => async (): Promise<string> => {
    log.push(`${name} begins`);
    await held.opened;
    log.push(`${name} ends`);
    return name;
  };
  const server = await serveSessions(work, "tcp://127.0.0.1:0", {
    network,
    resume: { resumeTimeoutMs: 600_000 },
    handlers: {
      job: step("job"),
      note: step("note"),
      async *flow() {
        await step("flow")();
        yield 1;
      },
      hello: () => undefined,
    },
  });
  const detour = await Detour.to(server.localAddress.port);
  const session = await connectSession(work, detour.address, {
    network,
    reconnect: { initialDelayMs: 10, maxDelayMs: 10 },
    handlers: { confirm: step("confirm"), tell: step("tell") },
  });
  await session.remote.hello();
  const served = [...server.sessions.values()][0] as Served;
  while (served.stats.unacknowledged > 0) await clock.advance(10);
  const lose = async (): Promise<void> => {
    detour.closed = true;
    detour.cut("reset");
    while (session.state !== "detached" || served.state !== "detached") await nextTurn();
  };
  /** Closes the server; the report comes when the time or the work is over. */
  const leave = (timeoutMs: number) => {
    const draining = { report: undefined as { finished: number; cut: number } | undefined };
    void server.close({ timeoutMs, reconnectSpreadMs: 0 }).then(({ finished, cut }) => {
      draining.report = { finished, cut };
    });
    return draining;
  };
  return { clock, network, server, session, served, detour, held, log, lose, leave };
}

type Meeting = Awaited<ReturnType<typeof meet>>;

const ignore = (): void => undefined;

/** What can be under way, and what it comes to when it can finish. */
const tasks: Readonly<
  Record<
    string,
    { readonly begin: (meeting: Meeting) => Promise<unknown>; readonly handler: string; readonly end: unknown }
  >
> = {
  "a call of the client": { begin: ({ session }) => session.remote.job(), handler: "job", end: "job" },
  "a call of the server": { begin: ({ served }) => served.remote.confirm(), handler: "confirm", end: "confirm" },
  "a stream of the client": {
    begin: async ({ session }) => {
      for await (const item of session.remote.flow()) return item;
      return undefined;
    },
    handler: "flow",
    end: 1,
  },
  "an event that is being handled": {
    begin: async ({ session, log }) => {
      void session.remote.note(1);
      while (!log.includes("note ends")) await nextTurn();
    },
    handler: "note",
    end: undefined,
  },
};

for (const [name, { begin, handler, end }] of Object.entries(tasks)) {
  test(`close of a server waits for ${name} in a session without a connection; the client comes back and has it`, async () => {
    const meeting = await meet();
    const { clock, held, log, detour, lose, leave } = meeting;
    const task = begin(meeting);
    while (!log.includes(`${handler} begins`)) await nextTurn();
    await lose();
    const draining = leave(5000);
    await clock.advance(1000);
    held.open();
    await clock.advance(1000);
    assert.ok(log.includes(`${handler} ends`));
    detour.closed = false;
    while (draining.report === undefined) await clock.advance(10);
    assert.deepEqual(draining.report, { finished: 1, cut: 0 });
    assert.equal(await task, end);
    assert.ok(clock.now() < 5000, "before the time is up");
  });

  test(`close of a server cuts ${name} when the client does not come back in time, and says so`, async () => {
    const meeting = await meet();
    const { clock, held, log, served, lose, leave } = meeting;
    const task = begin(meeting).catch((error: unknown) => (error as { code: unknown }).code);
    while (!log.includes(`${handler} begins`)) await nextTurn();
    await lose();
    const draining = leave(2000);
    await clock.advance(1000);
    // Its handler at the client cannot tell anybody; that at the server has not finished.
    if (handler === "confirm") held.open();
    await clock.advance(999);
    assert.equal(draining.report, undefined);
    await clock.advance(1);
    while (draining.report === undefined) await nextTurn();
    assert.deepEqual(draining.report, { finished: 0, cut: 1 });
    assert.equal(served.state, "closed");
    meeting.session.abort();
    held.open();
    await task;
  });
}

test("close of a server waits for the handler of a call, and for its answer, whose client never comes back", async () => {
  const { clock, session, held, log, lose, leave } = await meet();
  session.remote.job().catch(ignore);
  while (log.length === 0) await nextTurn();
  await lose();
  const draining = leave(2000);
  await clock.advance(300);
  held.open();
  await clock.advance(1699);
  assert.deepEqual([log, draining.report], [["job begins", "job ends"], undefined]);
  await clock.advance(1);
  while (draining.report === undefined) await nextTurn();
  assert.deepEqual(draining.report, { finished: 0, cut: 1 });
});

test("close of a server delivers the events that a client has missed, or counts its session as cut and reports them", async () => {
  for (const isBack of [true, false]) {
    const { clock, served, detour, held, log, lose, leave } = await meet();
    await lose();
    void served.remote.tell(1);
    const draining = leave(2000);
    await clock.advance(500);
    held.open();
    detour.closed = !isBack;
    while (draining.report === undefined) await clock.advance(10);
    assert.deepEqual(draining.report, isBack ? { finished: 1, cut: 0 } : { finished: 0, cut: 1 });
    const { lost } = await served.closed;
    assert.deepEqual(lost, isBack ? [] : [{ kind: "event", method: "tell", outcome: "not-sent" }]);
    if (!isBack) continue;
    while (!log.includes("tell ends")) await nextTurn();
  }
});

test("a session that loses its connection while the server closes comes back too", async () => {
  const { clock, session, held, log, detour, lose, leave } = await meet();
  const job = session.remote.job();
  while (log.length === 0) await nextTurn();
  const draining = leave(5000);
  while (session.state === "open") await nextTurn();
  await lose();
  detour.closed = false;
  await clock.advance(500);
  held.open();
  while (draining.report === undefined) await clock.advance(10);
  assert.deepEqual(draining.report, { finished: 1, cut: 0 });
  assert.equal(await job, "job");
});

test("while a server closes, new clients are refused with SERVER_BUSY; when nothing is left, its listener is closed", async () => {
  const { clock, network, server, session, held, log, leave } = await meet();
  const options = { network, handlers: { confirm: () => "", tell: ignore } };
  const job = session.remote.job();
  while (log.length === 0) await nextTurn();
  const draining = leave(5000);
  await assert.rejects(connectSession(work, server.localAddress, options), { code: "SERVER_BUSY" });
  held.open();
  while (draining.report === undefined) await clock.advance(10);
  await assert.rejects(connectSession(work, server.localAddress, options), { code: "CONNECTION_REFUSED" });
  assert.equal(await job, "job");
});

test("a session without a connection in which nothing is under way is finished at once", async () => {
  const { lose, leave } = await meet();
  await lose();
  const draining = leave(5000);
  while (draining.report === undefined) await nextTurn();
  assert.deepEqual(draining.report, { finished: 1, cut: 0 });
});

test("close of a server waits for the handlers of a session that its client has closed", async () => {
  for (const isInTime of [true, false]) {
    const { clock, session, served, held, log, leave } = await meet();
    session.remote.job().catch(ignore);
    void session.remote.note(1);
    void session.remote.note(2);
    while (log.length < 2) await nextTurn();
    await session.close({ timeoutMs: 0 });
    const draining = leave(2000);
    await clock.advance(isInTime ? 1000 : 2000);
    if (isInTime) {
      assert.equal(draining.report, undefined);
      held.open();
    }
    while (draining.report === undefined) await nextTurn();
    assert.deepEqual(draining.report, isInTime ? { finished: 1, cut: 0 } : { finished: 0, cut: 1 });
    assert.equal((await served.closed).unhandled, isInTime ? 0 : 1);
    assert.equal(log.includes("note ends"), isInTime);
  }
});

test("close of a client waits for its calls, for its handlers and for what is not acknowledged, without a connection too", async () => {
  const begin: Readonly<Record<string, (session: Client, served: Served) => unknown>> = {
    "a call": (session) => session.remote.job(),
    "a handler": (_session, served) => served.remote.confirm(),
    "an event": (session) => session.remote.note(1),
  };
  for (const [name, start] of Object.entries(begin)) {
    const { clock, session, served, server, detour, held, log, lose } = await meet();
    const started = Promise.resolve(start(session, served));
    while (log.length === 0) await nextTurn();
    if (name === "an event") void session.remote.note(2);
    await lose();
    if (name === "an event") void session.remote.note(3);
    const draining = session.close({ timeoutMs: 5000 });
    await clock.advance(1000);
    assert.notEqual(session.state, "closed", name);
    held.open();
    detour.closed = false;
    while (session.state !== "closed") await clock.advance(10);
    await draining;
    await started;
    assert.deepEqual((await session.closed).lost, [], name);
    while (server.sessions.size > 0) await nextTurn();
    if (name === "an event") assert.equal(log.filter((line) => line === "note ends").length, 3);
  }
});

test("close of a client that does not come back ends when its time is up, and reports what is lost", async () => {
  const { clock, session, lose } = await meet();
  await lose();
  void session.remote.note(1);
  const draining = session.close({ timeoutMs: 1000 });
  // What was sent before has five seconds in any case.
  await clock.advance(4999);
  assert.notEqual(session.state, "closed");
  await clock.advance(1);
  await draining;
  assert.deepEqual((await session.closed).lost, [{ kind: "event", method: "note", outcome: "not-sent" }]);
});

test("clients that read nothing hold up no close: and none takes longer than its time", async () => {
  for (const timeoutMs of [1000, 0]) {
    const clock = new ManualClock(nodeNetwork.clock);
    const server = await serveSessions(work, "tcp://127.0.0.1:0", {
      network: { ...nodeNetwork, clock },
      handlers: { job: () => "", note: ignore, flow: () => [], hello: ignore },
    });
    const peer = await RawClient.to(server.localAddress.port);
    await peer.hello("work", { offers: ["confirm", "tell"] });
    peer.socket.pause();
    // More than the kernel takes.
    while (server.remote.tell(1).dropped === 0) await nextTurn();
    const from = clock.now();
    const atEnd = server.close({ timeoutMs }).then(() => clock.now() - from);
    await clock.advance(timeoutMs);
    assert.equal(await atEnd, timeoutMs);
    assert.equal(server.stats.sessions, 0);
  }
});

test("a client in whose server nothing is known of its session any more opens no new one while it closes", async () => {
  const { clock, session, served, server, detour, lose } = await meet();
  await lose();
  void session.remote.note(1);
  served.abort();
  const closing = session.close({ timeoutMs: 0 });
  detour.closed = false;
  while (session.state !== "closed") await clock.advance(10);
  await closing;
  const { error, lost } = await session.closed;
  assert.deepEqual([error?.code, lost.length], ["SESSION_LOST", 1]);
  while (server.sessions.size > 0) await nextTurn();
});

test("how a session ended: each side says its own; and a client whose session was closed makes no new one", async () => {
  for (const busy of [false, true]) {
    const { clock, session, served, held, log } = await meet();
    const job = session.remote.job().catch(ignore);
    while (log.length === 0) await nextTurn();
    if (!busy) {
      held.open();
      await job;
    }
    // Whether or not something is under way: it is the session that ends, not the server that leaves.
    const closing = served.close({ timeoutMs: 1000 });
    await clock.advance(1000);
    assert.equal((await closing).how, "closed");
    while (session.state !== "closed") await clock.advance(10);
    assert.equal((await session.closed).how, "ended", String(busy));
    held.open();
  }
  const { session } = await meet();
  session.abort();
  assert.equal((await session.closed).how, "aborted");
});

test("a readiness check: draining aborts as soon as the server closes, and abort says so in closed", async () => {
  const { server, session, held, log } = await meet();
  const job = session.remote.job().catch(ignore);
  while (log.length === 0) await nextTurn();
  assert.equal(server.draining.aborted, false);
  const closing = server.close({ timeoutMs: Infinity });
  assert.equal(server.draining.aborted, true);
  server.abort();
  assert.deepEqual([(await closing).cut, (await server.closed).how], [1, "aborted"]);
  held.open();
  await job;
  session.abort();
});
