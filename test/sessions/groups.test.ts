/** Groups of sessions, and messages to many of them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, contract, event, type ServeSessionsOptions } from "../../src/protocol.ts";
import { Detour } from "./detour.ts";
import { nextTurn } from "../fixtures/gate.ts";
import { connectSession, serveSessions } from "./opened.ts";

const chat = contract("chat", "1.0.0", {
  server: { who: call<void, string>() },
  client: { said: event<unknown>(), added: event() },
});

type Options = Partial<ServeSessionsOptions<typeof chat.server, typeof chat.client, Record<string, unknown>>>;

async function scene(count: number, more: Options = {}) {
  const server = await serveSessions(chat, "tcp://127.0.0.1:0", {
    codecs: ["json"],
    ...more,
    handlers: { who: (_input, { session }) => session.id },
  });
  const detour = await Detour.to(server.localAddress.port);
  const heard: unknown[][] = [];
  const clients = [];
  for (let index = 0; index < count; index += 1) {
    const mine: unknown[] = [];
    heard.push(mine);
    const handlers = { said: (text: unknown) => mine.push(text), added: () => undefined };
    clients.push(
      await connectSession(chat, detour.address, { handlers, reconnect: { initialDelayMs: 1, maxDelayMs: 5 } }),
    );
  }
  const served = clients.map(({ id }) => {
    const session = server.sessions.get(id);
    assert.ok(session !== undefined);
    return session;
  });
  return { server, detour, clients, served, heard };
}

test("sessions join and leave groups by name; broadcast reaches the members, and nobody else", async () => {
  const { server, clients, served, heard } = await scene(3);
  const plaza = server.group("plaza");
  const [ana, eva, luis] = served;
  assert.ok(ana !== undefined && eva !== undefined && luis !== undefined);
  assert.deepEqual([plaza.join(ana), plaza.join(eva), plaza.join(eva)], [true, true, false]);
  assert.deepEqual([plaza.name, plaza.size, plaza.has(eva), plaza.has(luis)], ["plaza", 2, true, false]);
  assert.deepEqual([...server.group("plaza")], [ana, eva], "a group is known by its name");
  assert.deepEqual(plaza.remote.said("to two"), { sent: 2, waiting: 0, dropped: 0 });
  assert.deepEqual([plaza.leave(ana), plaza.leave(ana)], [true, false]);
  assert.deepEqual(plaza.remote.said("to one"), { sent: 1, waiting: 0, dropped: 0 });
  assert.deepEqual(server.remote.said("to all"), { sent: 3, waiting: 0, dropped: 0 });
  assert.deepEqual(server.remote.said("not to ana", { except: ana }), { sent: 2, waiting: 0, dropped: 0 });
  assert.deepEqual(server.remote.said("to luis", { except: [ana, eva] }), { sent: 1, waiting: 0, dropped: 0 });
  const tooMany = Array.from({ length: 10_001 }, () => ({ id: "x" }));
  for (const except of [5, null, "ana", [undefined], { id: 5 }, { id: "x".repeat(257) }, tooMany])
    assert.throws(() => server.remote.said("x", { except: except as never }), { code: "OPTION_INVALID", op: "said" });
  for (const client of clients) await client.remote.who();
  assert.deepEqual(heard, [
    ["to two", "to all"],
    ["to two", "to one", "to all", "not to ana"],
    ["to all", "not to ana", "to luis"],
  ]);
});

test("broadcast encodes a message once, however many sessions there are", async () => {
  const { server, clients, heard } = await scene(5);
  let reads = 0;
  const message = {
    get text() {
      reads += 1;
      return "news";
    },
  };
  assert.equal(server.remote.said(message).sent, 5);
  assert.equal(reads, 2, "it is looked at, and encoded");
  for (const client of clients) await client.remote.who();
  for (const mine of heard) assert.deepEqual(mine, [{ text: "news" }]);
});

test("a session that is detached stays in its groups, and gets what it missed; one that is over leaves them", async () => {
  const { server, detour, clients, served, heard } = await scene(2);
  const plaza = server.group("plaza");
  for (const session of served) plaza.join(session);
  detour.closed = true;
  detour.cut("reset");
  while (server.stats.detached < 2) await nextTurn();
  assert.deepEqual(plaza.remote.said("meanwhile"), { sent: 2, waiting: 0, dropped: 0 });
  detour.closed = false;
  for (const client of clients) await client.remote.who();
  assert.deepEqual(heard, [["meanwhile"], ["meanwhile"]]);
  await clients[0]?.close({ timeoutMs: 0 });
  while (plaza.size > 1) await nextTurn();
  assert.deepEqual([...plaza], [served[1]]);
  assert.equal(plaza.join(served[0] as never), false, "it is over");
});

test("broadcast never waits: without room a message waits or is dropped, as overflow says, and is counted", async () => {
  for (const [overflow, expected] of [
    ["block", { sent: 0, waiting: 1, dropped: 0 }],
    ["drop-oldest", { sent: 0, waiting: 1, dropped: 0 }],
    ["strict", { sent: 0, waiting: 0, dropped: 1 }],
  ] as const) {
    const { server, detour } = await scene(1, { overflow, resume: { maxReplayMessages: 1 } });
    detour.closed = true;
    detour.cut("reset");
    while (server.stats.detached < 1) await nextTurn();
    assert.equal(server.remote.said("fits").sent, 1);
    assert.deepEqual(server.remote.said("does not fit"), expected, overflow);
  }
});
