/** Peers of a server of sessions that do not read what they asked for, or do not say that they have it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionEnd } from "../../src/protocol.ts";
import { callFrame, openFrame, RawClient } from "../sessions/raw-client.ts";
import { nothingEscapes } from "./escapes.ts";
import { PAGE_BYTES, room, serveTarget } from "./session-target.ts";

const MIB = 1_048_576;
/** More than a kernel takes for a peer that does not read. */
const FULL_BYTES = 24 * MIB;
/** Turns in which nothing may change any more. */
const QUIET_TURNS = 500;

nothingEscapes();

/** What a peer may name as its own windows. */
const wide = {
  maxMessageBytes: MIB,
  windowBytes: 2 ** 30,
  streamWindowBytes: 2 ** 30,
  maxCalls: 256,
  maxStreams: 64,
  heartbeatMs: 15_000,
};

type Target = Awaited<ReturnType<typeof serveTarget>>;

const places = Object.keys(room.server).sort();
const place = (name: keyof typeof room.server): number => places.indexOf(name);

async function intruder({ port }: Target, fields?: object): Promise<RawClient> {
  const client = await RawClient.to(port);
  await client.hello("room", { offers: ["news"], ...fields });
  client.socket.pause();
  return client;
}

/** Asks for as many pages as calls are allowed. */
function askForPages(client: RawClient, firstId = 1): void {
  for (let id = firstId; id < firstId + 512; id += 2) client.send(0x41, callFrame(id, place("page")));
}

/** Waits until the server holds so many bytes, and goes on holding about that; answers the most. */
async function settled({ server }: Target, leastBytes: number): Promise<number> {
  while (server.stats.heldBytes < leastBytes) await nextTurn();
  let most = 0;
  for (let turn = 0; turn < QUIET_TURNS; turn += 1) {
    await nextTurn();
    most = Math.max(most, server.stats.heldBytes);
  }
  return most;
}

/** No connection and no session is left. */
async function isGone({ server, clock }: Target): Promise<void> {
  while (server.stats.listener.open > 0) await clock.turn();
  assert.deepEqual([server.stats.sessions, server.stats.heldBytes], [0, 0]);
}

test("a peer that asks and does not read: answers stay within the replay bound; its connection, then its session go in time", async () => {
  const target = await serveTarget({ resume: { maxReplayBytes: FULL_BYTES, maxReplayAgeMs: 1_000_000 } });
  const { clock, server } = target;
  const client = await intruder(target);
  askForPages(client);
  const most = await settled(target, FULL_BYTES);
  assert.ok(most <= FULL_BYTES + 2 * PAGE_BYTES, `${most} bytes are held`);
  await target.serves();
  // The heartbeat asks after 15 s, and gives up after as long again.
  await clock.advance(29_000);
  assert.deepEqual([server.stats.sessions, server.stats.detached], [1, 0]);
  await clock.advance(2000);
  assert.deepEqual([server.stats.sessions, server.stats.detached], [1, 1]);
  await clock.advance(60_000);
  await isGone(target);
  client.close();
  assert.deepEqual(target.told(), {});
  await target.closes();
});

test("a peer that does not read, and goes on sending: WRITE_STALLED ends its connection", async () => {
  const target = await serveTarget({ resume: { maxReplayBytes: FULL_BYTES, maxReplayAgeMs: 1_000_000 } });
  const { clock, server } = target;
  const client = await intruder(target);
  askForPages(client);
  await settled(target, FULL_BYTES);
  // Pings: signs of life that nobody can answer.
  for (let waitedMs = 0; waitedMs < 60_000 * 1.25; waitedMs += 5000) {
    client.send(0x12, Buffer.alloc(8));
    await clock.advance(5000);
  }
  assert.deepEqual([server.stats.sessions, server.stats.detached], [1, 1]);
  await clock.advance(60_000);
  await isGone(target);
  client.close();
  await target.serves();
  assert.deepEqual(target.told(), {});
  await target.closes();
});

test("LIMIT_EXCEEDED for a peer that floods and never reads: its connection goes within two seconds", async () => {
  const target = await serveTarget({ resume: { maxReplayBytes: FULL_BYTES } });
  const { clock, server } = target;
  const client = await intruder(target);
  askForPages(client);
  await settled(target, FULL_BYTES);
  // Some are not answered yet.
  askForPages(client, 1001);
  while (target.told()["LIMIT_EXCEEDED"] === undefined) await clock.turn();
  assert.deepEqual([server.stats.sessions, server.stats.heldBytes], [0, 0]);
  // Its last words cannot be written.
  assert.equal(server.stats.listener.open, 1);
  for (let step = 0; step < 20; step += 1) {
    if (client.socket.writable) client.socket.write(Buffer.alloc(10_000));
    await clock.advance(100);
  }
  await isGone(target);
  client.close();
  await target.serves();
  await target.closes();
});

test("REPLAY_OVERFLOW for a peer that reads and acknowledges nothing: no more than the replay bound is held", async () => {
  const target = await serveTarget();
  const { clock, server } = target;
  const client = await intruder(target);
  client.socket.resume();
  askForPages(client);
  const most = await settled(target, MIB);
  assert.ok(most <= MIB + 2 * PAGE_BYTES, `${most} bytes are held`);
  for (let waitedMs = 0; waitedMs < 120_000; waitedMs += 5000) {
    assert.equal(server.stats.sessions, 1);
    client.send(0x12, Buffer.alloc(8));
    await clock.advance(5000);
  }
  const { payload } = await client.frameOf(0x15);
  assert.match(String(payload.subarray(8)), /REPLAY_OVERFLOW/);
  await client.untilEnd();
  client.close();
  await isGone(target);
  await target.serves();
  await target.closes();
});

test("items of a stream whose peer does not read: no more than the replay bound, whatever window the peer has named", async () => {
  const target = await serveTarget();
  const { server, clock, started } = target;
  const client = await intruder(target, { limits: wide });
  for (let id = 1; id < 20; id += 2) client.send(0x45, openFrame(id, place("pages"), 2));
  const most = await settled(target, MIB);
  assert.ok(most <= MIB + 2 * PAGE_BYTES, `${most} bytes are held`);
  await target.serves();
  client.socket.resetAndDestroy();
  while (server.stats.detached === 0) await clock.turn();
  // The generators are left with the session.
  await clock.advance(60_000);
  await isGone(target);
  while (started.pagesLeft < started.pages) await clock.turn();
  assert.ok(started.pages > 0);
  assert.deepEqual(target.told(), {});
  await target.closes();
});

for (const [overflow, held] of [
  ["drop-oldest", 2 * MIB],
  ["drop-newest", 2 * MIB],
  ["strict", MIB],
  ["block", 17 * MIB],
] as const) {
  test(`events for a peer that does not read, overflow ${overflow}: what waits is bounded, others are served`, async () => {
    const target = await serveTarget({ overflow });
    const { server } = target;
    const client = await intruder(target, { limits: wide });
    const [session] = [...server.sessions.values()];
    assert.ok(session);
    const text = "x".repeat(10_000);
    let refused = 0;
    const sent: Promise<unknown>[] = [];
    for (let count = 0; count < 3000; count += 1) {
      const waits = session.remote.news(text);
      if (waits !== undefined) sent.push(waits.catch(() => (refused += 1)));
    }
    for (let turn = 0; turn < QUIET_TURNS; turn += 1) await nextTurn();
    const { heldBytes, droppedEvents } = session.stats;
    assert.ok(heldBytes > MIB / 2 && heldBytes <= held + 100_000, `${heldBytes} bytes are held`);
    assert.equal(server.stats.heldBytes >= MIB / 2, true);
    if (overflow.startsWith("drop")) assert.ok(droppedEvents > 2500);
    else assert.ok(refused > 1000);
    await target.serves();
    client.close();
    await target.closes();
    await Promise.all(sent);
  });
}

test("maxHeldBytes: of all that have a connection the session that holds the most makes room, and no other", async () => {
  const ends: SessionEnd[] = [];
  const onClose = (_session: unknown, end: SessionEnd): void => void ends.push(end);
  const target = await serveTarget({
    resume: { maxReplayBytes: FULL_BYTES },
    limits: { maxHeldBytes: 8 * MIB },
    onClose,
  });
  const { server } = target;
  const modest = await intruder(target);
  for (let id = 1; id < 21; id += 2) modest.send(0x41, callFrame(id, place("page")));
  await settled(target, MIB / 2);
  const greedy = await intruder(target);
  askForPages(greedy);
  while (ends.length === 0) await nextTurn();
  assert.equal(ends[0]?.error?.code, "SESSION_LOST");
  const [kept, ...others] = [...server.sessions.values()];
  assert.deepEqual(others, []);
  assert.equal(kept?.stats.unacknowledged, 10);
  await target.serves();
  for (const client of [modest, greedy]) client.close();
  assert.deepEqual(target.told(), {});
  await target.closes();
});
