/** Peers of a server of sessions that fill its memory or its places: who makes room, and who never does. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionEnd } from "../../src/protocol.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { ack, callFrame, RawClient } from "../sessions/raw-client.ts";
import { nothingEscapes } from "./escapes.ts";
import { PAGE_BYTES, room, serveTarget } from "./session-target.ts";

const MIB = 1_048_576;

nothingEscapes();

type Target = Awaited<ReturnType<typeof serveTarget>>;

const places = Object.keys(room.server).sort();
const place = (name: keyof typeof room.server): number => places.indexOf(name);

interface Visitor {
  readonly client: RawClient;
  readonly session: string;
}

async function visitor({ port }: Target, fields?: object): Promise<Visitor> {
  const client = await RawClient.to(port);
  const { session } = await client.hello("room", { offers: ["news"], ...fields });
  assert.equal(typeof session, "string");
  return { client, session: session as string };
}

/** Clients that come and go; answers the names of their sessions. */
async function left(target: Target, count: number, fields?: object): Promise<readonly string[]> {
  const names: string[] = [];
  const before = target.server.stats.detached;
  while (names.length < count) {
    const { client, session } = await visitor(target, fields);
    client.socket.resetAndDestroy();
    names.push(session);
  }
  while (target.server.stats.detached < before + count) await nextTurn();
  return names;
}

/** Asks for so many answers of 100,000 bytes, and acknowledges none. */
function askForPages({ client }: Visitor, count: number): void {
  client.socket.resume();
  for (let id = 1; id < 2 * count; id += 2) client.send(0x41, callFrame(id, place("page")));
}

/** Sessions that end, with the code of each. */
function endings() {
  const ends = new Map<string, string | undefined>();
  const onClose = ({ id }: { readonly id: string }, end: SessionEnd): void => void ends.set(id, end.error?.code);
  return { ends, onClose };
}

test("maxHeldBytes: those who hold the most make room; detached sessions that hold nothing or little stay", async () => {
  const { ends, onClose } = endings();
  const target = await serveTarget({
    resume: { maxReplayBytes: 4 * MIB },
    limits: { maxHeldBytes: 16 * MIB },
    onClose,
  });
  const { server } = target;
  const idle = await left(target, 100);
  const owing = await left(target, 100);
  for (const id of owing) void server.sessions.get(id)?.remote.news("x".repeat(100));
  const greedy = await Promise.all(Array.from({ length: 8 }, () => visitor(target)));
  for (const one of greedy) askForPages(one, 60);
  while (ends.size < 4) await nextTurn();
  for (const [id, code] of ends) {
    assert.ok(greedy.some(({ session }) => session === id));
    assert.equal(code, "SESSION_LOST");
  }
  for (const id of [...idle, ...owing]) assert.equal(server.sessions.get(id)?.state, "detached");
  assert.ok(server.stats.heldBytes <= 16 * MIB + PAGE_BYTES);
  await target.serves();
  for (const { client } of greedy) client.close();
  await target.closes();
});

test("maxHeldBytes: sessions without messages count too; the oldest detached one makes room for a new one", async () => {
  const { ends, onClose } = endings();
  const target = await serveTarget({ limits: { maxHeldBytes: 100_000 }, onClose });
  const { server } = target;
  const names: string[] = [];
  for (let count = 0; count < 60; count += 1) {
    const { client, session } = await visitor(target);
    names.push(session);
    client.socket.resetAndDestroy();
    while (server.stats.detached < server.stats.sessions) await nextTurn();
    assert.ok(server.stats.heldBytes <= 100_000, `${server.stats.heldBytes} bytes are held`);
  }
  assert.ok(server.stats.sessions >= 20);
  assert.deepEqual([...ends.keys()], names.slice(0, ends.size));
  assert.ok(ends.size >= 10);
  await target.serves();
  await target.closes();
});

test("maxHeldBytes: sessions that were busy give back what they do not need, before anybody has to go", async () => {
  const { ends, onClose } = endings();
  const target = await serveTarget({ limits: { maxHeldBytes: 524_288 }, onClose });
  const { server } = target;
  const visitors = await Promise.all(Array.from({ length: 20 }, () => visitor(target)));
  let most = 0;
  for (const { client, session } of visitors) {
    const busy = server.sessions.get(session);
    await busy?.remote.news("x".repeat(50_000));
    await client.frameOf(0x40);
    most = Math.max(most, server.stats.heldBytes);
    client.send(0x10, ack(1));
    while (busy?.stats.unacknowledged !== 0) await nextTurn();
  }
  assert.equal(ends.size, 0);
  assert.ok(most > 400_000 && most <= 600_000, `${most} bytes were held`);
  for (const { client } of visitors) client.close();
  await target.closes();
});

test("maxHeldBytesPerPrincipal: sessions that have a connection count, and the largest of that principal ends", async () => {
  const { ends, onClose } = endings();
  const target = await serveTarget({
    resume: { maxReplayBytes: 4 * MIB },
    limits: { maxHeldBytesPerPrincipal: 4 * MIB },
    authenticate: ({ auth = "guest" }: { readonly auth?: unknown }) => auth,
    onClose,
  });
  const { server } = target;
  const other = await visitor(target, { auth: "luis" });
  askForPages(other, 35);
  const modest = await visitor(target, { auth: "ana" });
  askForPages(modest, 5);
  while ((server.sessions.get(other.session)?.stats.unacknowledged ?? 0) < 35) await nextTurn();
  while ((server.sessions.get(modest.session)?.stats.unacknowledged ?? 0) < 5) await nextTurn();
  const greedy = await visitor(target, { auth: "ana" });
  askForPages(greedy, 40);
  while (ends.size === 0) await nextTurn();
  assert.deepEqual([...ends], [[greedy.session, "SESSION_LOST"]]);
  await target.serves();
  assert.deepEqual([...ends.keys()].length, 2, "the guest has closed its session");
  for (const { client } of [other, modest, greedy]) client.close();
  await target.closes();
});

test("maxSessionsPerAddress: sessions that were opened and dropped make room, the oldest first", async () => {
  const { ends, onClose } = endings();
  const target = await serveTarget({ limits: { maxSessionsPerAddress: 20 }, onClose });
  const dropped = await left(target, 20);
  for (let count = 0; count < 5; count += 1) await target.serves();
  assert.deepEqual([...ends.keys()].slice(0, 1), dropped.slice(0, 1));
  assert.equal(target.server.sessions.has(dropped[19] as string), true);
  await target.closes();
});

test("maxSessionsPerAddress: sessions that have a connection do not make room: SERVER_BUSY", async () => {
  const target = await serveTarget({ limits: { maxSessionsPerAddress: 3 } });
  const inside = await Promise.all(Array.from({ length: 3 }, () => visitor(target)));
  const late = await RawClient.to(target.port);
  assert.equal((await late.hello("room", { offers: ["news"] }))["code"], "SERVER_BUSY");
  late.close();
  while (target.server.stats.listener.open > 3) await nextTurn();
  assert.equal(target.server.stats.sessions, 3);
  for (const { client } of inside) client.close();
  await target.closes();
});

test("broadcast: for a client that has gone 1,024 events wait behind the replay buffer, and the others are dropped", async () => {
  const target = await serveTarget();
  const { server } = target;
  const [id] = await left(target, 1);
  const session = server.sessions.get(id as string);
  const fates = { sent: 0, waiting: 0, dropped: 0 };
  for (let count = 0; count < 20_000; count += 1) {
    const { sent, waiting, dropped } = server.remote.news("x");
    fates.sent += sent;
    fates.waiting += waiting;
    fates.dropped += dropped;
  }
  assert.deepEqual(fates, { sent: 16_384, waiting: 1024, dropped: 20_000 - 16_384 - 1024 });
  assert.equal(session?.stats.droppedEvents, fates.dropped);
  // As they stand in the replay buffer, with 16 bytes for the number of each, and what waits behind them.
  const bytes = 16_384 * (10 + 16) + 1024 * 18;
  const heldBytes = session?.stats.heldBytes ?? 0;
  assert.ok(heldBytes >= bytes && heldBytes < bytes + 150_000, `${heldBytes} bytes are held`);
  await target.closes();
});

test("broadcast: what waits for clients that have gone is bounded by maxHeldBytes", async () => {
  const target = await serveTarget({ limits: { maxHeldBytes: 4 * MIB } });
  const { server } = target;
  await left(target, 100);
  let most = 0;
  for (let count = 0; count < 20_000; count += 1) {
    server.remote.news("x");
    if (count % 100 > 0) continue;
    await nextTurn();
    most = Math.max(most, server.stats.heldBytes);
  }
  assert.ok(most > 3 * MIB && most < 5 * MIB, `${most} bytes were held`);
  assert.ok(server.stats.sessions < 100);
  await target.serves();
  await target.closes();
});

/** A second passes, after a sign of life. */
async function second({ clock }: Target, client: RawClient): Promise<void> {
  client.send(0x12, Buffer.alloc(8));
  await clock.advance(1000);
}

for (const [name, opens] of [
  ["that never opens its window", false],
  ["that opens its window by one event a second", true],
] as const) {
  test(`REPLAY_OVERFLOW for a peer ${name}: what waits has an age`, async () => {
    const { ends, onClose } = endings();
    const target = await serveTarget({ onClose });
    const { server } = target;
    const { client, session } = await visitor(target, { limits: { ...DEFAULT_LIMITS, windowBytes: 1 } });
    for (let count = 0; count < 200; count += 1) server.remote.news("x");
    assert.deepEqual(server.remote.news("x"), { sent: 0, waiting: 1, dropped: 0 });
    await client.frameOf(0x40);
    client.send(0x10, ack(1));
    for (let taken = 1; taken < 119; taken += 1) {
      await second(target, client);
      if (!opens) continue;
      const credit = Buffer.alloc(12);
      // An event has ten bytes.
      credit.writeUInt32BE(taken * 10 + 1, 8);
      client.send(0x11, credit);
      await client.frameOf(0x40);
      client.send(0x10, ack(taken + 1));
    }
    assert.equal(ends.size, 0);
    for (let count = 0; count < 3; count += 1) await second(target, client);
    const { payload } = await client.frameOf(0x15);
    assert.match(String(payload.subarray(8)), /REPLAY_OVERFLOW/);
    assert.deepEqual([...ends], [[session, "REPLAY_OVERFLOW"]]);
    client.close();
    while (server.stats.listener.open > 0) await nextTurn();
    await target.closes();
  });
}
