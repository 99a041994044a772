import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  type Applicant,
  call,
  contract,
  event,
  RemoteError,
  type SessionEnd,
  type SessionRecord,
  type SessionStore,
} from "../../src/protocol.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { nodeNetwork } from "../../src/index.ts";
import { ManualClock } from "../../src/testing.ts";
import { gate, nextTurn } from "../fixtures/gate.ts";
import { ack, eventFrame, RawClient } from "./raw-client.ts";
import { connectSession, serveSessions } from "./opened.ts";

/* docs/semantics.md, rules D3, D4, D5 and D6, over TCP, against a client that is driven by hand. */

const room = contract("room", "1.0.0", { server: { say: event<string>(), who: call<void, string>() } });

async function serve(more: object = {}) {
  const said: string[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    handlers: { say: (text) => void said.push(text), who: (_input, { session }) => String(session.principal) },
    ...more,
  });
  return { server, said, port: server.localAddress.port };
}

/** A client by hand that has said its hello, and what it was answered. */
async function come(port: number, fields: object = {}): Promise<readonly [RawClient, Record<string, unknown>]> {
  const client = await RawClient.to(port);
  return [client, await client.hello("room", fields)];
}

const CHANNELS = ["zocalo:open", "zocalo:close", "zocalo:error", "zocalo:refusal"];

/** What a welcome says, for the next hello. */
function resumeOf(welcome: Record<string, unknown>, attempt: number, received = 0, sent = 0): object {
  const { session, token, server } = welcome;
  return { resume: { session, token, server, attempt, received, acknowledged: 0, sent } };
}

test("rule D3: the newest connection wins at once; the old one gets SESSION_TAKEN_OVER and its bytes are discarded", async () => {
  const { server, said, port } = await serve();
  const [first, welcome] = await come(port);
  first.send(0x40, eventFrame(0, "one"));
  await first.frameOf(0x10);
  const [second, again] = await come(port, resumeOf(welcome, 1, 0, 1));
  assert.equal(again["received"], 1);
  assert.equal(again["epoch"], 2);
  const close = await first.frameOf(0x15);
  assert.equal((JSON.parse(String(close.payload.subarray(8))) as { code: string }).code, "SESSION_TAKEN_OVER");
  first.send(0x40, eventFrame(0, "too late"));
  second.send(0x40, eventFrame(0, "two"));
  await first.untilEnd();
  while (said.length < 2) await second.frame();
  assert.deepEqual(said, ["one", "two"]);
  assert.equal(server.stats.sessions, 1);
});

test("a goodbye keeps to the longest message that the peer takes, and says its code", async () => {
  const { port } = await serve();
  const limits = { ...DEFAULT_LIMITS, maxMessageBytes: 64 };
  const goodbye = async (client: RawClient): Promise<unknown> => {
    const { payload } = await client.frameOf(0x15);
    assert.ok(1 + payload.length <= limits.maxMessageBytes, String(payload.length));
    return JSON.parse(String(payload.subarray(8)));
  };
  const [first, welcome] = await come(port, { limits });
  const [second] = await come(port, { limits, ...resumeOf(welcome, 1) });
  assert.deepEqual(await goodbye(first), { code: "SESSION_TAKEN_OVER", message: "" });
  second.send(0x7f, Buffer.alloc(0));
  assert.deepEqual(await goodbye(second), { code: "FRAME_INVALID", message: "" });
});

test("rule D3: an attempt with a lower number is refused", async () => {
  const { server, port } = await serve();
  const [, welcome] = await come(port);
  const [, again] = await come(port, resumeOf(welcome, 5));
  const [late, refusal] = await come(port, resumeOf(again, 4));
  assert.equal(refusal["code"], "SESSION_TAKEN_OVER");
  assert.equal(await late.untilEnd(), "fin");
  assert.equal(server.stats.sessions, 1);
});

test("rule D4: authenticate runs on every resume and must give the same principal", async () => {
  const asked: unknown[] = [];
  const { port } = await serve({
    authenticate: ({ auth, resuming }: Applicant) => {
      asked.push([auth, resuming]);
      return String(auth);
    },
  });
  const [ana, welcome] = await come(port, { auth: "ana" });
  ana.close();
  const [, answer] = await come(port, { auth: "eva", ...resumeOf(welcome, 1) });
  assert.equal(answer["fresh"], "session-unknown");
  assert.notEqual(answer["session"], welcome["session"]);
  const [, resumed] = await come(port, { auth: "ana", ...resumeOf(welcome, 2) });
  assert.equal(resumed["received"], 0);
  assert.equal(resumed["session"], welcome["session"]);
  assert.deepEqual(asked, [
    ["ana", false],
    ["eva", true],
    ["ana", true],
  ]);
});

test("rule D4: tokens rotate, and the previous one is valid until the first acknowledgement on the new connection", async () => {
  const { port } = await serve();
  const [first, welcome] = await come(port);
  first.close();
  // The welcome of this connection is lost.
  const [lost] = await come(port, resumeOf(welcome, 1));
  lost.close();
  const [second, again] = await come(port, resumeOf(welcome, 2));
  assert.equal(again["received"], 0);
  assert.notEqual(again["token"], welcome["token"]);
  second.send(0x10, ack(0));
  second.send(0x12, Buffer.alloc(8));
  await second.frameOf(0x13);
  second.close();
  const old = await RawClient.to(port);
  assert.equal((await old.hello("room", resumeOf(welcome, 3)))["fresh"], "session-unknown");
  const good = await RawClient.to(port);
  assert.equal((await good.hello("room", resumeOf(again, 4)))["received"], 0);
});

test("rule D4: the store never sees a token", async () => {
  const records: SessionRecord[] = [];
  const store: SessionStore = {
    get: () => undefined,
    create(record) {
      records.push(record);
      return { admitted: true, evicted: [] };
    },
    replace: () => false,
    detach: () => undefined,
    charge: () => [],
    expire: () => [],
    remove: () => undefined,
  };
  const { port } = await serve({ resume: { store } });
  const [, { token }] = await come(port);
  assert.ok(!JSON.stringify(records).includes(String(token)));
  assert.match(records[0]?.tokenHash ?? "", /^[\w-]{43}$/);
});

test("rule D4: no token is logged: none is in an object of the program, an error or a diagnostic", async () => {
  const seen: unknown[] = [];
  const listener = (message: unknown): void => void seen.push(message);
  for (const name of CHANNELS) subscribe(name, listener);
  const { server, port } = await serve({ onError: (error: unknown) => seen.push(error) });
  const [client, welcome] = await come(port);
  client.send(0x7f, Buffer.alloc(8));
  await client.untilEnd();
  const [, again] = await come(port, resumeOf({ ...welcome, session: "another" }, 1));
  const session = await connectSession(room, `tcp://127.0.0.1:${port}`);
  await session.remote.who();
  const text = inspect([server, session, ...server.sessions.values(), ...seen], { depth: Infinity, showHidden: true });
  assert.ok(seen.length > 0);
  for (const { token } of [welcome, again]) assert.ok(!text.includes(String(token)));
  for (const name of CHANNELS) unsubscribe(name, listener);
});

test("rule D4: who is not known is refused, and learns only what a RemoteError says", async () => {
  const errors: unknown[] = [];
  const { server, port } = await serve({
    onError: (error: unknown) => errors.push(error),
    authenticate: ({ auth }: Applicant) => {
      if (auth === "blocked") throw new RemoteError("BLOCKED", "you are blocked until noon");
      if (auth === "long") throw new RemoteError("BLOCKED", "x".repeat(5000));
      if (auth === "crash") throw new Error("the database is at 10.0.0.7");
      return undefined;
    },
  });
  const answers: unknown[] = [];
  for (const auth of ["nobody", "blocked", "crash"]) {
    const [client, { code, message }] = await come(port, { auth });
    answers.push(`${String(code)}: ${String(message)}`);
    assert.equal(await client.untilEnd(), "fin");
  }
  assert.deepEqual(answers, [
    "UNAUTHENTICATED: the server does not accept the credentials of the client",
    "UNAUTHENTICATED: you are blocked until noon",
    "UNAUTHENTICATED: the server does not accept the credentials of the client",
  ]);
  assert.deepEqual(errors.map(String), ["Error: the database is at 10.0.0.7"]);
  const told = connectSession(room, `tcp://127.0.0.1:${port}`, { auth: "long" });
  await assert.rejects(told, { code: "UNAUTHENTICATED", detail: "x".repeat(1024) });
  assert.equal(server.stats.sessions, 0);
});

test("rule D5: counters that do not fit, another process, another agreement: a fresh session with its reason", async () => {
  const { port } = await serve();
  const reasons: unknown[] = [];
  const changes = [
    (welcome: Record<string, unknown>) => resumeOf(welcome, 1, 7, 0),
    (welcome: Record<string, unknown>) => resumeOf({ ...welcome, server: "another" }, 1),
    (welcome: Record<string, unknown>) => ({ ...resumeOf(welcome, 1), version: "1.1.0" }),
    (welcome: Record<string, unknown>) => resumeOf({ ...welcome, session: "another" }, 1),
  ];
  for (const change of changes) {
    const [first, welcome] = await come(port);
    first.close();
    const second = await RawClient.to(port);
    reasons.push((await second.hello("room", change(welcome)))["fresh"]);
    second.close();
  }
  assert.deepEqual(reasons, ["counters-invalid", "server-restarted", "agreement-changed", "session-unknown"]);
});

test("rule D5: the owner of a session that is gone is told why, each time that it asks; a thief is not", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const { server, port } = await serve({ network: { ...nodeNetwork, clock }, resume: { resumeTimeoutMs: 1000 } });
  const answers: unknown[] = [];
  for (const how of ["expired", "aborted"] as const) {
    const [first, welcome] = await come(port);
    if (how === "aborted") [...server.sessions.values()].at(-1)?.abort();
    first.close();
    const session = String(welcome["session"]);
    while (server.sessions.get(session)?.state === "open") await clock.turn();
    if (how === "expired") await clock.advance(1000);
    while (server.sessions.has(session)) await clock.turn();
    const ask = async (token: unknown): Promise<unknown> => {
      const client = await RawClient.to(port);
      const { fresh } = (await client.hello("room", resumeOf({ ...welcome, token }, 1))) as { fresh: unknown };
      client.close();
      return fresh;
    };
    answers.push([how, await ask(welcome["token"]), await ask(welcome["token"]), await ask("guessed")]);
    await clock.advance(1000);
    answers.push(await ask(welcome["token"]));
  }
  assert.deepEqual(answers, [
    ["expired", "expired", "expired", "session-unknown"],
    "session-unknown",
    ["aborted", "aborted", "aborted", "session-unknown"],
    "session-unknown",
  ]);
});

test("rule D6: the oldest detached session makes room; those with a connection stay", async () => {
  const ends: SessionEnd[] = [];
  const { server, port } = await serve({
    limits: { maxSessions: 2 },
    onClose: (_session: unknown, end: SessionEnd) => ends.push(end),
  });
  await come(port);
  const [goes, welcome] = await come(port);
  goes.close();
  while (server.stats.detached === 0) await nextTurn();
  const [next] = await come(port);
  assert.equal(server.stats.sessions, 2);
  assert.deepEqual(
    ends.map(({ error }) => error?.code),
    ["SESSION_LOST"],
  );
  // Both have a connection now: nobody makes room.
  const [, refusal] = await come(port);
  assert.equal(refusal["code"], "SERVER_BUSY");
  assert.ok((refusal["retryAfterMs"] as number) > 0);
  next.close();
  while (server.stats.detached === 0) await nextTurn();
  const back = await RawClient.to(port);
  assert.equal((await back.hello("room", resumeOf(welcome, 1)))["fresh"], "evicted");
});

test("rule D6: sessions of one address are limited, and free their place", async () => {
  const { server, port } = await serve({ limits: { maxSessionsPerAddress: 1 } });
  const first = await connectSession(room, `tcp://127.0.0.1:${port}`);
  await assert.rejects(connectSession(room, `tcp://127.0.0.1:${port}`), { code: "SERVER_BUSY" });
  await first.close();
  while (server.stats.sessions > 0) await nextTurn();
  const second = await connectSession(room, `tcp://127.0.0.1:${port}`);
  assert.equal(await second.remote.who(), [...server.sessions.values()][0]?.id);
});

test("rule D6: sessions of one principal are limited; its oldest detached one makes room, and no other's", async () => {
  const { server, port } = await serve({
    limits: { maxSessionsPerPrincipal: 1 },
    authenticate: ({ auth }: Applicant) => String(auth),
  });
  const [luis] = await come(port, { auth: "luis" });
  luis.close();
  const [ana, welcome] = await come(port, { auth: "ana" });
  const surplus = await RawClient.to(port);
  assert.equal((await surplus.hello("room", { auth: "ana" }))["code"], "SERVER_BUSY");
  ana.close();
  while (server.stats.detached < 2) await nextTurn();
  const again = await RawClient.to(port);
  assert.notEqual((await again.hello("room", { auth: "ana" }))["session"], welcome["session"]);
  assert.deepEqual(
    new Set(Array.from(server.sessions.values(), ({ principal }) => principal)),
    new Set(["luis", "ana"]),
  );
  assert.equal(server.sessions.has(String(welcome["session"])), false);
});

test("rule D6: connections without a session are limited; the oldest one makes room", async () => {
  const { server, port } = await serve({ limits: { maxUnauthenticated: 2 } });
  const silent = await Promise.all([RawClient.to(port), RawClient.to(port)]);
  while (server.stats.unauthenticated < 2) await nextTurn();
  const session = await connectSession(room, `tcp://127.0.0.1:${port}`);
  assert.ok((await session.remote.who()).length > 0);
  assert.equal(await Promise.race(silent.map((client) => client.untilEnd())), "reset");
  assert.equal(server.stats.declined, 1);
  for (const client of silent) client.close();
});

test("keptMs may be a fraction, nothing, and Infinity: clients are told a whole number", async () => {
  for (const [keptMs, told] of [
    [0.5, 1],
    [0, 0],
    [Infinity, Number.MAX_SAFE_INTEGER],
  ] as const) {
    const { port } = await serve({ resume: { resumeTimeoutMs: keptMs } });
    const client = await RawClient.to(port);
    assert.equal((await client.hello("room"))["keptMs"], told);
    const session = await connectSession(room, `tcp://127.0.0.1:${port}`);
    assert.equal(await session.remote.who(), session.id);
  }
});

test("a session without a connection ends after keptMs", async () => {
  const ended = gate<SessionEnd>();
  const clock = new ManualClock(nodeNetwork.clock);
  const { server, port } = await serve({
    network: { ...nodeNetwork, clock },
    resume: { resumeTimeoutMs: 30 },
    onClose: (_session: unknown, end: SessionEnd) => ended.open(end),
  });
  const client = await RawClient.to(port);
  assert.equal((await client.hello("room"))["keptMs"], 30);
  client.close();
  while (server.stats.detached === 0) await clock.turn();
  await clock.advance(29);
  assert.equal(server.stats.sessions, 1);
  await clock.advance(1);
  assert.equal((await ended.opened).error?.code, "SESSION_LOST");
  assert.equal(server.stats.sessions, 0);
});
