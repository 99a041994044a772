/** Peers that use an id again, or open streams as no contract says: what a handler gets is always its own. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { call, contract, event, stream, typeOnly } from "../../src/protocol.ts";
import { gate } from "../fixtures/gate.ts";
import { connectSession, serveSessions } from "../sessions/opened.ts";
import { callFrame, idFrame, itemFrame, openFrame, RawClient } from "../sessions/raw-client.ts";
import { nothingEscapes } from "./escapes.ts";

nothingEscapes();

const CALL = 0x41;
const EVENT = 0x40;
const ITEM = 0x46;
const OPEN = 0x45;

const shop = contract("shop", "1.0.0", {
  server: {
    block: event<void>(),
    names: stream({ receives: typeOnly<string>() }),
    numbers: stream({ receives: typeOnly<number>() }),
    prices: stream({ sends: typeOnly<number>(), receives: typeOnly<number>() }),
    take: call<string, string>(),
  },
  client: { news: event<string>() },
});
/** Places of the methods: in the order of their names. */
const [block, names, numbers, prices, take] = [0, 1, 2, 3, 4] as const;

async function opened() {
  const told: string[] = [];
  const errors: string[] = [];
  const unblocked = gate();
  /** Answers of the calls that wait. */
  const answers: ((answer: string) => void)[] = [];
  const note = (name: string) => async (_nothing: unknown, items: AsyncIterable<unknown>) => {
    told.push(name);
    for await (const item of items) told.push(`${name} ${JSON.stringify(item)}`);
  };
  const server = await serveSessions(shop, "tcp://127.0.0.1:0", {
    handlers: {
      block: () => unblocked.opened,
      names: note("names"),
      numbers: note("numbers"),
      prices: note("prices") as never,
      take: (what, { signal }) =>
        new Promise((resolve) => {
          told.push(what);
          signal.addEventListener("abort", () => told.push(`${what} cancelled`));
          answers.push(resolve);
        }),
    },
    onError: (error) => errors.push((error as { readonly code: string }).code),
  });
  const client = await RawClient.to(server.localAddress.port);
  const { offers } = await client.hello("shop", { offers: ["news"] });
  assert.deepEqual(offers, ["block", "names", "numbers", "prices", "take"]);
  return { server, client, told, errors, unblocked, answers };
}

/** Two events whose handler waits: what comes behind them waits too. */
function blockLane(client: RawClient): void {
  for (let count = 0; count < 2; count += 1) client.send(EVENT, Buffer.from([0, block]));
}

async function codeOfError(client: RawClient, type: number, headBytes: number): Promise<string> {
  const { payload } = await client.frameOf(type);
  return (JSON.parse(String(payload.subarray(headBytes))) as { readonly code: string }).code;
}

for (const [how, type] of [
  ["a cancel", 0x44],
  ["an error", 0x43],
] as const) {
  test(`the id of a stream is used again behind ${how}, before the first one could start: only the second one does`, async () => {
    const { client, told, unblocked } = await opened();
    blockLane(client);
    client.send(OPEN, openFrame(1, names, 1));
    client.send(type, Buffer.concat([idFrame(1), Buffer.from(type === 0x43 ? "{}" : "")]));
    client.send(OPEN, openFrame(1, numbers, 1));
    client.send(ITEM, itemFrame(1, 42));
    client.send(0x47, idFrame(1));
    // Its pong says that all has come.
    client.send(0x12, Buffer.alloc(8));
    await client.frameOf(0x13);
    assert.deepEqual(told, []);
    unblocked.open();
    while (told.length < 2) await nextTurn();
    assert.deepEqual(told, ["numbers", "numbers 42"]);
  });
}

test("the id of a stream is used again behind its end, before its handler could start: FRAME_INVALID", async () => {
  const { client, told, errors, unblocked } = await opened();
  blockLane(client);
  client.send(OPEN, openFrame(1, names, 1));
  client.send(0x47, idFrame(1));
  client.send(OPEN, openFrame(1, numbers, 1));
  assert.equal(await codeOfError(client, 0x15, 8), "FRAME_INVALID");
  await client.untilEnd();
  unblocked.open();
  assert.deepEqual([told, errors], [[], ["FRAME_INVALID"]]);
});

test("a stream in directions that its method does not have: METHOD_UNKNOWN, and no handler starts", async () => {
  const { client, told, errors } = await opened();
  for (const [id, method, directions] of [
    [1, names, 2],
    [3, names, 3],
    [5, prices, 1],
    [7, prices, 2],
  ] as const) {
    client.send(OPEN, openFrame(id, method, directions));
    client.send(ITEM, itemFrame(id, "x"));
    assert.equal(await codeOfError(client, 0x43, 4), "METHOD_UNKNOWN");
  }
  client.send(OPEN, openFrame(9, prices, 3));
  while (told.length === 0) await nextTurn();
  assert.deepEqual([told, errors], [["prices"], Array(4).fill("METHOD_UNKNOWN")]);
});

test("the id of a call is used again behind a cancel: it gets its own answer, and its own cancel", async () => {
  const { client, told, answers } = await opened();
  client.send(CALL, callFrame(1, take, "first"));
  client.send(0x44, idFrame(1));
  client.send(CALL, callFrame(1, take, "second"));
  while (answers.length < 2) await nextTurn();
  answers[0]?.("first");
  client.send(CALL, callFrame(3, take, "third"));
  while (answers.length < 3) await nextTurn();
  answers[2]?.("third");
  const { payload } = await client.frameOf(0x42);
  assert.deepEqual([payload.readUInt32BE(), String(payload.subarray(4))], [3, '"third"']);
  client.send(0x44, idFrame(1));
  while (told.length < 5) await nextTurn();
  assert.deepEqual(told, ["first", "first cancelled", "second", "third", "second cancelled"]);
});

test("a client whose codec cannot carry an event does not keep it from the others", async () => {
  const { server, client } = await opened();
  const odd = await RawClient.to(server.localAddress.port);
  assert.equal((await odd.hello("shop", { offers: ["news"], codecs: ["bytes"] })).codec, "bytes");
  const heard = gate();
  const session = await connectSession(shop, server.localAddress, { handlers: { news: () => heard.open() } });
  assert.deepEqual(server.remote.news("hello"), { sent: 2, waiting: 0, dropped: 1 });
  await heard.opened;
  await client.frameOf(EVENT);
  // What cannot be sent at all is an error, and reaches nobody.
  const before = session.stats.unacknowledged;
  assert.throws(() => server.remote.news((() => 1) as never), { code: "FRAME_INVALID", side: "local" });
  assert.equal(session.stats.unacknowledged, before);
  client.close();
  odd.close();
  while (server.stats.sessions > 1) {
    for (const each of server.sessions.values()) if (each.id !== session.id) each.abort();
    await nextTurn();
  }
  assert.deepEqual(server.remote.news("hello"), { sent: 1, waiting: 0, dropped: 0 });
});
