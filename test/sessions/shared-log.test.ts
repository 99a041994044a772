/** What is said to many with a journal, over real connections: the frames, old clients, and messages that are too long. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, contract, event, memoryJournal } from "../../src/protocol.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { connectSession, serveSessions } from "./opened.ts";
import { RawClient } from "./raw-client.ts";

const chat = contract("chat", "1.0.0", {
  server: { who: call<void, string>() },
  client: { added: event<string>(), said: event<string>() },
});

const serveChat = async () =>
  await serveSessions(chat, "tcp://127.0.0.1:0", {
    journal: memoryJournal(),
    handlers: { who: (_input, { session }) => session.id },
  });

const EVENT = 0x40;
const SHARED = 0x16;
const PLACE = 0x17;

/** The next frame of one of these types. */
async function next(client: RawClient, ...types: readonly number[]) {
  for (;;) {
    const frame = await client.frame();
    if (types.includes(frame.type)) return frame;
  }
}

test("a client that knows moves is told a place and SHARED frames, each with the method as it numbers it", async () => {
  const server = await serveChat();
  const client = await RawClient.to(server.localAddress.port);
  await client.hello("chat", { offers: ["said"], features: ["moves"] });
  const place = (await next(client, PLACE)).payload.readBigUInt64BE(0);
  server.remote.added("who offers no such event does not hear it");
  server.remote.said("hola");
  const { payload } = await next(client, SHARED, EVENT);
  assert.deepEqual(
    [payload.readBigUInt64BE(0) > place, payload.readUInt16BE(8), payload.toString("utf8", 10)],
    [true, 0, '"hola"'],
  );
});

test("an older client gets an ordinary event", async () => {
  const server = await serveChat();
  const client = await RawClient.to(server.localAddress.port);
  await client.hello("chat", { offers: ["added", "said"] });
  server.remote.said("hola");
  const { type, payload } = await next(client, SHARED, EVENT, PLACE);
  assert.deepEqual([type, payload.readUInt16BE(0), payload.toString("utf8", 2)], [EVENT, 1, '"hola"']);
});

test("a client is not told what it does not take: a message that is too long for it alone", async () => {
  const server = await serveChat();
  const client = await RawClient.to(server.localAddress.port);
  const limits = { ...DEFAULT_LIMITS, maxMessageBytes: 64 };
  await client.hello("chat", { offers: ["added", "said"], features: ["moves"], limits });
  server.remote.said("x".repeat(100));
  server.remote.said("short");
  const { payload } = await next(client, SHARED, EVENT);
  assert.equal(payload.toString("utf8", 10), '"short"');
});

test("a server says no more than the window of the client, and goes on when it has said CREDIT", async () => {
  const server = await serveChat();
  const client = await RawClient.to(server.localAddress.port);
  const limits = { ...DEFAULT_LIMITS, windowBytes: 40 };
  await client.hello("chat", { offers: ["added", "said"], features: ["moves"], limits });
  for (const text of ["one", "two", "three"]) await server.remote.said(text).stored;
  // Of 20 bytes each: the second one fills the window.
  const heard = [await next(client, SHARED), await next(client, SHARED)];
  client.send(0x12, Buffer.alloc(8));
  assert.equal((await next(client, SHARED, 0x13)).type, 0x13, "a pong, and nothing of the log before it");
  client.send(0x11, Buffer.from("ffffffff0000000000000064", "hex"));
  heard.push(await next(client, SHARED));
  assert.deepEqual(
    heard.map(({ payload }) => payload.toString("utf8", 10)),
    ['"one"', '"two"', '"three"'],
  );
});

test("a message that is too long for every store is refused; one that no client could read is, too", async () => {
  const server = await serveChat();
  const heard: string[] = [];
  const session = await connectSession(chat, server.localAddress, {
    handlers: { added: () => undefined, said: (text) => void heard.push(text) },
  });
  assert.throws(() => server.remote.said("x".repeat(600_000)), { code: "FRAME_TOO_LONG", op: "said", outcome: "none" });
  assert.throws(() => server.remote.said((() => undefined) as never), { code: "FRAME_INVALID" });
  await server.remote.said("x".repeat(500_000)).stored;
  await session.remote.who();
  while (heard.length === 0) await new Promise(setImmediate);
  assert.deepEqual(
    heard.map(({ length }) => length),
    [500_000],
  );
});
