/** Peers of a server of sessions that send without end, that never read, or both. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { callFrame, eventFrame, idFrame, itemFrame, openFrame, RawClient } from "../sessions/raw-client.ts";
import { nothingEscapes } from "./escapes.ts";
import { room, serveTarget } from "./session-target.ts";

const MIB = 1_048_576;
/** Far more than any window, and less than what the machine would miss. */
const FLOOD_BYTES = 4 * MIB;
const text = "x".repeat(1000);

nothingEscapes();

type Target = Awaited<ReturnType<typeof serveTarget>>;

/** Places of the methods: in the order of their names. */
const places = Object.keys(room.server).sort();
const place = (name: keyof typeof room.server): number => places.indexOf(name);

async function intruder({ port }: Target, fields?: object): Promise<RawClient> {
  const client = await RawClient.to(port);
  const { offers } = await client.hello("room", { offers: ["news"], ...fields });
  assert.deepEqual(offers, places);
  return client;
}

/** Sends until the server has ended, or too much was sent; answers the most memory that the server held. */
async function flood(target: Target, client: RawClient, sendNext: (round: number) => number): Promise<number> {
  let most = 0;
  let unwatched = 0;
  for (let sent = 0, round = 0; sent < FLOOD_BYTES && client.ended === undefined; round += 1) {
    const bytes = sendNext(round);
    sent += bytes;
    unwatched += bytes;
    if (unwatched < 50_000) continue;
    unwatched = 0;
    await target.clock.advance(1);
    most = Math.max(most, target.server.stats.heldBytes);
  }
  return most;
}

/** The server has told the peer why, has closed its connection, and holds nothing of it. */
async function isGone(target: Target, client: RawClient, code: string): Promise<void> {
  const { payload } = await client.frameOf(0x15);
  assert.equal((JSON.parse(String(payload.subarray(8))) as { readonly code: string }).code, code);
  await client.untilEnd();
  client.close();
  while (target.server.stats.listener.open > 0) await nextTurn();
  const { sessions, heldBytes } = target.server.stats;
  assert.deepEqual([sessions, heldBytes], [0, 0]);
  const { METHOD_UNKNOWN: _answered, ...codes } = target.told();
  assert.deepEqual(codes, { [code]: 1 });
}

/** One event whose handler never ends, and one that waits for it: nothing that comes later can start. */
function blockLane(client: RawClient): void {
  for (let count = 0; count < 2; count += 1) client.send(0x40, eventFrame(place("say"), text));
}

/** Valid messages that a server has to bound; each answers how many bytes it has sent. */
const floods: Readonly<Record<string, (client: RawClient, round: number) => number>> = {
  "events behind a handler that never ends": (client) => {
    client.send(0x40, eventFrame(place("say"), text));
    return text.length;
  },
  "calls that are cancelled at once, behind a handler that never ends": (client, round) => {
    if (round === 0) blockLane(client);
    const id = round * 2 + 1;
    client.send(0x41, callFrame(id, place("who"), text));
    client.send(0x44, idFrame(id));
    return text.length;
  },
  "calls under one id that are cancelled at once, behind a handler that never ends": (client, round) => {
    if (round === 0) blockLane(client);
    client.send(0x41, callFrame(1, place("who"), text));
    client.send(0x44, idFrame(1));
    return text.length;
  },
  "calls whose time is soon up, behind a handler that never ends": (client, round) => {
    if (round === 0) blockLane(client);
    client.send(0x41, callFrame(round * 2 + 1, place("who"), text, 1));
    return text.length;
  },
  "streams that are cancelled at once, behind a handler that never ends": (client, round) => {
    if (round === 0) blockLane(client);
    const id = round * 2 + 1;
    client.send(0x45, openFrame(id, place("deaf"), 1, text));
    client.send(0x44, idFrame(id));
    return text.length;
  },
  "items of streams that end at once, behind a handler that never ends": (client, round) => {
    if (round === 0) blockLane(client);
    const id = round * 2 + 1;
    client.send(0x45, openFrame(id, place("deaf"), 1));
    for (let count = 0; count < 10; count += 1) client.send(0x46, itemFrame(id, text));
    client.send(0x47, idFrame(id));
    return 10 * text.length;
  },
  "streams of no method, from a peer that acknowledges nothing": (client, round) => {
    client.send(0x45, openFrame(round * 2 + 1, 99, 1, text.slice(0, 50)));
    return 50;
  },
};

for (const [name, send] of Object.entries(floods)) {
  test(`LIMIT_EXCEEDED: a flood of ${name}: what is held is bounded, and the session ends`, async () => {
    // What all open streams may hold is one MiB then.
    const target = await serveTarget(name.startsWith("items") ? { limits: { maxStreams: 4 } } : {});
    const client = await intruder(target);
    const most = await flood(target, client, (round) => send(client, round));
    // A window of one MiB; the memory in which it waits doubles as it grows.
    assert.ok(most > 0 && most <= 2.5 * MIB, `${most} bytes were held`);
    await isGone(target, client, "LIMIT_EXCEEDED");
    await target.serves();
    await target.closes();
  });
}

test("LIMIT_EXCEEDED: a flood of calls whose handlers never end: 64 run, 256 are held, one more ends the session", async () => {
  const target = await serveTarget();
  const client = await intruder(target);
  for (let round = 0; round < 256; round += 1) client.send(0x41, callFrame(round * 2 + 1, place("stuck"), ""));
  while (target.started.stuck < 64) await nextTurn();
  await target.serves();
  assert.deepEqual(target.told(), {});
  client.send(0x41, callFrame(999, place("who")));
  await isGone(target, client, "LIMIT_EXCEEDED");
  assert.equal(target.started.stuck, 64);
  await target.closes();
});

test("LIMIT_EXCEEDED: a flood of streams that are cancelled at once: twice maxStreams handlers run, the others are held", async () => {
  const target = await serveTarget({ limits: { maxStreams: 10 } });
  const client = await intruder(target);
  const most = await flood(target, client, (round) => {
    const id = round * 2 + 1;
    client.send(0x45, openFrame(id, place("deaf"), 1, text));
    client.send(0x44, idFrame(id));
    return text.length;
  });
  assert.ok(most <= 2 * MIB, `${most} bytes were held`);
  await isGone(target, client, "LIMIT_EXCEEDED");
  assert.equal(target.started.deaf, 20);
  await target.serves();
  await target.closes();
});

test("LIMIT_EXCEEDED: more items than the window of a stream whose handler does not read", async () => {
  const target = await serveTarget();
  const client = await intruder(target);
  client.send(0x45, openFrame(1, place("deaf"), 1));
  const most = await flood(target, client, () => {
    client.send(0x46, itemFrame(1, text));
    return text.length;
  });
  assert.ok(most > 100_000 && most <= MIB, `${most} bytes were held`);
  await isGone(target, client, "LIMIT_EXCEEDED");
  await target.closes();
});
