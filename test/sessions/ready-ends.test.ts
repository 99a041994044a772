import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectionError } from "../../src/index.ts";
import { type SessionEnd } from "../../src/protocol.ts";
import { gate, nextTurn } from "../fixtures/gate.ts";
import { code, visit } from "./ready-room.ts";

/* `onReady` that fails, takes too long, or whose session or client ends while it runs. */

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
