import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectionError, nodeNetwork } from "../../src/index.ts";
import {
  call,
  contract,
  event,
  type ReadyReport,
  type Session,
  type SessionClientOptions,
  type SessionEnd,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { gate, nextTurn } from "../fixtures/gate.ts";
import { Detour } from "./detour.ts";
import { connectSession, serveSessions } from "./opened.ts";

/* `onReady`: a client makes a session ready, the first one and each that follows; all else waits for that. */

const room = contract("room", "1.0.0", {
  server: {
    join: call<string, string>(),
    say: event<string>(),
    ask: call<string, string>(),
    never: call(),
    rows: stream({ sends: typeOnly<number>() }),
  },
  client: { confirm: call<string, string>() },
});
type RoomSession = Session<typeof room.server>;
type Options = Partial<SessionClientOptions<typeof room.server, Record<string, unknown>>> & {
  readonly handlers?: object;
};

/** A server, and what it was told, in order. */
async function serve(clock: ManualClock, more: object = {}) {
  const log: string[] = [];
  const ends: SessionEnd[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    network: { ...nodeNetwork, clock },
    handlers: {
      join: async (name, { session }) => {
        log.push(`join ${name}`);
        return await session.remote.confirm(name);
      },
      say: (text) => void log.push(text),
      ask: (text) => {
        log.push(text);
        return text;
      },
      never: () => new Promise<never>(() => undefined),
      rows: () => [1, 2, 3],
    },
    onClose: (_session, end) => void ends.push(end),
    ...more,
  });
  return { server, log, ends };
}

/** A client of the room, behind a detour, with the errors that it is told. */
async function visit(options: Options) {
  const clock = new ManualClock(nodeNetwork.clock);
  const first = await serve(clock);
  const detour = await Detour.to(first.server.localAddress.port);
  const told: unknown[] = [];
  const opening = connectSession(room, detour.address, {
    network: { ...nodeNetwork, clock },
    reconnect: { initialDelayMs: 10, maxDelayMs: 10 },
    onError: (error) => told.push(error),
    ...options,
    handlers: { confirm: (name) => name, ...options.handlers },
  });
  opening.catch(() => undefined);
  /** Another process takes the place of the server. */
  let { server } = first;
  const leave = async () => {
    detour.closed = true;
    await server.close({ reconnectSpreadMs: 0, timeoutMs: 0 });
  };
  const restart = async () => {
    await leave();
    const next = await serve(clock);
    ({ server } = next);
    detour.leadTo(next.server.localAddress.port);
    detour.closed = false;
    return next;
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await clock.advance(10);
  };
  return { clock, first, detour, told, opening, leave, restart, until };
}

const code = (error: unknown): unknown => (error as { code?: unknown }).code;

test("the first session: connectSession resolves when onReady is done, which may ask for several things", async () => {
  const reports: ReadyReport[] = [];
  const { opening, first } = await visit({
    onReady: async (session, report) => {
      reports.push(report);
      assert.equal(await session.remote.join("ana"), "ana");
      await session.remote.ask("state");
      await session.remote.say("here");
    },
  });
  const session = await opening;
  await session.remote.ask("first question");
  assert.deepEqual(first.log, ["join ana", "state", "here", "first question"]);
  assert.deepEqual(reports, [{ reason: "first", lost: [] }]);
});

test("a session that begins anew: what waits, and what is asked for meanwhile, is sent behind onReady, in order", async () => {
  const joining = gate();
  const goOn = gate();
  const reasons: string[] = [];
  const { opening, restart, until, detour } = await visit({
    onReady: async (session, { reason }) => {
      reasons.push(reason);
      await session.remote.join("ana");
      if (reason === "first") return;
      joining.open();
      await goOn.opened;
      await session.remote.ask("state");
    },
  });
  const session = await opening;
  detour.closed = true;
  const restarted = restart();
  await until(() => session.state === "detached");
  const asked = [session.remote.say("1"), session.remote.ask("2")];
  const { log } = await restarted;
  await until(() => log.length > 0);
  await joining.opened;
  assert.equal(session.state, "open");
  asked.push(session.remote.say("3"), session.remote.ask("4"));
  const rows: number[] = [];
  for await (const row of session.remote.rows()) rows.push(row);
  assert.deepEqual([rows, log], [[1, 2, 3], ["join ana"]]);
  assert.ok(session.stats.heldBytes > 0);
  goOn.open();
  await Promise.all(asked);
  assert.deepEqual(log, ["join ana", "state", "1", "2", "3", "4"]);
  assert.deepEqual(reasons, ["first", "server-left"]);
});

test("what a handler asks for while onReady runs goes out at once: onReady may wait for it", async () => {
  const { opening, first } = await visit({
    onReady: (session) => session.remote.join("ana"),
    handlers: {
      confirm: async (name: string, { session }: { readonly session: RoomSession }) =>
        await session.remote.ask(`who is ${name}`),
    },
  });
  await opening;
  assert.deepEqual(first.log, ["join ana", "who is ana"]);
});

test("a call that does not want to wait is refused while onReady runs, and was not sent", async () => {
  const goOn = gate();
  let within: RoomSession | undefined;
  const { opening, first } = await visit({
    whileAway: "reject",
    onReady: async (session) => {
      within = session;
      await session.remote.join("ana");
      await goOn.opened;
    },
  });
  while (first.log.length === 0) await nextTurn();
  await assert.rejects((within as RoomSession).remote.ask("now"), {
    code: "SESSION_AWAY",
    outcome: "none",
    message: /onReady has not finished/,
  });
  goOn.open();
  const session = await opening;
  assert.equal(await session.remote.ask("later"), "later");
  assert.deepEqual(first.log, ["join ana", "later"]);
});

test("onReady is not called when a session goes on, and goes on itself when its connection is lost", async () => {
  const goOn = gate();
  let times = 0;
  let resumed = 0;
  const { opening, detour, until, first } = await visit({
    onReady: async (session) => {
      times += 1;
      await session.remote.join("ana");
      await goOn.opened;
      await session.remote.ask("state");
    },
    onResume: () => (resumed += 1),
  });
  await until(() => first.log.length > 0);
  detour.cut("reset");
  await until(() => resumed === 1);
  goOn.open();
  const session = await opening;
  detour.cut("fin");
  await until(() => resumed === 2);
  await session.remote.ask("end");
  assert.deepEqual([times, first.log], [1, ["join ana", "state", "end"]]);
});

const failures: Readonly<Record<string, () => unknown>> = {
  throws: () => {
    throw new Error("no");
  },
  "rejects at once": () => Promise.reject(new Error("no")),
  "rejects later": async () => {
    await nextTurn();
    throw new Error("no");
  },
};
for (const [name, fail] of Object.entries(failures)) {
  test(`onReady ${name} for the first session: connectSession closes that, and rejects with the error`, async () => {
    const ended = gate<SessionEnd>();
    const { opening, first, told } = await visit({ onReady: fail, onClose: (_session, end) => ended.open(end) });
    await assert.rejects(opening, { message: "no" });
    assert.equal((await ended.opened).how, "closed");
    while (first.ends.length === 0) await nextTurn();
    assert.deepEqual([first.ends[0]?.how, first.server.sessions.size, told], ["ended", 0, []]);
  });

  test(`onReady ${name} for a later session: onError is told, and what waits is sent`, async () => {
    const { opening, restart, until, told } = await visit({
      onReady: (_session, { reason }) => (reason === "first" ? undefined : fail()),
    });
    const session = await opening;
    const restarted = restart();
    await until(() => session.state === "detached");
    const asked = session.remote.ask("1");
    const { log } = await restarted;
    await until(() => log.length > 0);
    assert.equal(await asked, "1");
    assert.deepEqual(told.map(String), ["Error: no"]);
  });
}

test("onReady that never ends has the time of a call: TIMEOUT, and what waits is sent", async () => {
  const late = gate();
  const { opening, restart, until, told, clock } = await visit({
    timeouts: { callMs: 5000, heartbeatMs: 60_000 },
    onReady: (_session, { reason }) => (reason === "first" ? undefined : late.opened.then(() => assert.fail("late"))),
  });
  const session = await opening;
  const restarted = restart();
  await until(() => session.state === "detached");
  const asked = session.remote.ask("1", { timeoutMs: 60_000 });
  const { log } = await restarted;
  await until(() => session.state === "open");
  await clock.advance(4900);
  assert.deepEqual([log, told], [[], []]);
  await until(() => log.length > 0);
  assert.equal(await asked, "1");
  assert.deepEqual(told.map(code), ["TIMEOUT"]);
  assert.match(String(told[0]), /onReady was not done within 5000 ms \(timeouts\.callMs\)/);
  late.open();
  await nextTurn();
  assert.deepEqual(told.map(code), ["TIMEOUT", "ERR_ASSERTION"]);
});

test("onReady that never ends for the first session: connectSession rejects, also by its signal and its own time", async () => {
  const signal = new AbortController();
  const reason = new Error("enough");
  for (const [options, expected] of [
    [{ timeouts: { callMs: 5000 } }, { code: "TIMEOUT", message: /onReady/ }],
    [{ timeoutMs: 2000 }, { code: "TIMEOUT", message: /not finished within 2000 ms/, outcome: "none" }],
    [{ signal: signal.signal }, reason],
  ] as const) {
    const begun = gate();
    const { opening, until, first, clock } = await visit({
      ...options,
      onReady: (session) => {
        begun.open();
        return session.remote.never();
      },
    });
    await begun.opened;
    if ("signal" in options) signal.abort(reason);
    else await clock.advance(5000);
    await assert.rejects(opening, expected);
    await until(() => first.ends.length > 0);
  }
});

test("the time of onReady stands still while there is no connection, and begins anew with the next one", async () => {
  const { opening, detour, until, clock, first } = await visit({
    timeouts: { callMs: 5000, heartbeatMs: 60_000 },
    reconnect: { initialDelayMs: 2000, maxDelayMs: 2000 },
    onReady: async (session) => {
      await session.remote.ask("1");
      await session.remote.never(undefined, { timeoutMs: 20_000 }).catch(() => undefined);
    },
  });
  await until(() => first.log.length > 0);
  await clock.advance(3000);
  detour.closed = true;
  detour.cut("reset");
  await clock.advance(15_000);
  detour.closed = false;
  await clock.advance(3000);
  const session = await opening;
  assert.equal(await session.remote.ask("2"), "2");
});

test("a session that is lost while onReady runs: it is called again for the next one, and no error of that is told", async () => {
  const asked: string[] = [];
  const { opening, until, first, restart, told } = await visit({
    onReady: async (session, { reason }) => {
      asked.push(reason);
      await session.remote.join("ana");
      if (reason === "first") await session.remote.never();
    },
  });
  await until(() => first.log.length > 0);
  const { log } = await restart();
  await until(() => log.length > 0);
  const session = await opening;
  await session.remote.ask("1");
  assert.deepEqual([asked, log, told], [["first", "server-left"], ["join ana", "1"], []]);
});

test("a server that leaves while onReady runs: what that asks for then is refused, and waits for no other session", async () => {
  const joined = gate();
  const left = gate();
  const refusals: unknown[] = [];
  const reasons: string[] = [];
  const { opening, until, leave, restart, told } = await visit({
    onReady: async (session, { reason }) => {
      reasons.push(reason);
      if (reasons.length !== 2) return;
      await session.remote.join("ana");
      joined.open();
      await left.opened;
      const asked = [session.remote.ask("late"), session.remote.say("late")];
      for (const one of await Promise.allSettled(asked)) {
        if (one.status === "rejected") refusals.push([code(one.reason), (one.reason as ConnectionError).outcome]);
      }
      throw new TypeError("its own fault");
    },
  });
  const session = await opening;
  const { log: second } = await restart();
  await until(() => second.length > 0);
  await joined.opened;
  await leave();
  await until(() => session.state !== "open");
  left.open();
  await until(() => told.length > 0);
  const { log } = await restart();
  await until(() => reasons.length === 3);
  await session.remote.ask("1");
  assert.deepEqual(refusals, [
    ["SESSION_AWAY", "none"],
    ["SESSION_LOST", "none"],
  ]);
  assert.deepEqual([second, log, told.map(String)], [["join ana"], ["1"], ["TypeError: its own fault"]]);
});

test("close inside of onReady sends what waits, and waits for nothing more; abort gives it up", async () => {
  for (const how of ["close", "abort"] as const) {
    const { opening, restart, until } = await visit({
      onReady: async (session, { reason }) => {
        if (reason !== "first") await session[how]();
      },
    });
    const session = await opening;
    const restarted = restart();
    await until(() => session.state === "detached");
    const asked = session.remote.ask("1").catch(code);
    const { log } = await restarted;
    await until(() => session.state === "closed");
    const [answer, heard] = how === "close" ? ["1", ["1"]] : ["CONNECTION_ABORTED", []];
    assert.deepEqual([await asked, log], [answer, heard]);
  }
});

test("close beside onReady waits for it, and for what waits; what is asked for later is refused", async () => {
  const goOn = gate();
  const { opening, restart, until, first } = await visit({
    onReady: (_session, { reason }) => (reason === "first" ? undefined : goOn.opened),
  });
  const session = await opening;
  const restarted = restart();
  await until(() => session.state === "detached");
  const asked = session.remote.ask("1");
  const { log } = await restarted;
  await until(() => session.state === "open");
  const closing = session.close();
  await nextTurn();
  assert.deepEqual([session.state, log, first.log], ["open", [], []]);
  goOn.open();
  assert.equal(await asked, "1");
  await closing;
  await assert.rejects(session.remote.ask("2"), { code: "CLOSED", outcome: "none" });
  assert.deepEqual(log, ["1"]);
});

test("a session that ends for good while onReady runs: connectSession rejects with how it ended", async () => {
  for (const reconnect of [false, { timeoutMs: 50, initialDelayMs: 10 }] as const) {
    const { opening, detour, until, first, told } = await visit({
      reconnect,
      onReady: async (session) => {
        await session.remote.join("ana");
        await session.remote.never();
      },
    });
    await until(() => first.log.length > 0);
    detour.close();
    let isOver = false;
    void opening.catch(() => (isOver = true));
    await until(() => isOver);
    await assert.rejects(opening, { code: "SESSION_LOST" });
    assert.deepEqual(told, []);
  }
});
