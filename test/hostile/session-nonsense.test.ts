/** Peers of a server of sessions that keep the rules of frames, and send messages that make no sense. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeNetwork, ZocaloError } from "../../src/index.ts";
import { call, contract, event, stream, typeOnly } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { connectSession, serveSessions } from "../sessions/opened.ts";
import { callFrame, eventFrame, idFrame, openFrame, RawClient } from "../sessions/raw-client.ts";
import { nothingEscapes } from "./escapes.ts";

nothingEscapes();

const desk = contract("desk", "1.0.0", {
  server: {
    note: event(typeOnly<string>()),
    echo: call(typeOnly<string>(), typeOnly<string>()),
    read: stream({ receives: typeOnly<string>() }),
  },
});
const [ECHO, NOTE, READ, UNKNOWN] = [0, 1, 2, 99];
const BROKEN = Buffer.from("{");
const broken = (frame: Uint8Array): Buffer => Buffer.concat([frame, BROKEN]);
const ofMethod = (method: number): Buffer => Buffer.from([0, method]);

/** A server with a clock that the test moves, and what it was told. */
async function serve(more: object = {}) {
  const clock = new ManualClock(nodeNetwork.clock);
  const told: ZocaloError[] = [];
  const notes: string[] = [];
  const server = await serveSessions(desk, "tcp://127.0.0.1:0", {
    network: { ...nodeNetwork, clock },
    handlers: {
      note: (text) => void notes.push(text),
      echo: (text) => text,
      async read(_question, items) {
        for await (const item of items) notes.push(item);
      },
    },
    onError(error) {
      assert.ok(error instanceof ZocaloError);
      told.push(error);
    },
    ...more,
  });
  const intruder = async (): Promise<RawClient> => {
    const client = await RawClient.to(server.localAddress.port);
    await client.hello("desk", { offers: [] });
    return client;
  };
  /** A client that keeps the rules is served. */
  const serves = async (): Promise<void> => {
    const session = await connectSession(desk, server.localAddress);
    assert.equal(await session.remote.echo("hola"), "hola");
    await session.close({ timeoutMs: 0 });
  };
  /** How often each code was told, and how many were told as a number. */
  const codes = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { code, detail } of told.splice(0)) {
      const number = /^(\d+) more problems of peers/.exec(detail)?.[1];
      const name = number === undefined ? code : "untold";
      counts[name] = (counts[name] ?? 0) + Number(number ?? 1);
    }
    return counts;
  };
  return { server, clock, notes, intruder, serves, codes };
}

/** Nonsense of every kind, and the code of its error. */
const NONSENSE: Readonly<Record<string, readonly [code: string, (client: RawClient, id: number) => void]>> = {
  "events of no method": ["METHOD_UNKNOWN", (client) => client.send(0x40, ofMethod(UNKNOWN))],
  "events of a method that is a call": ["METHOD_UNKNOWN", (client) => client.send(0x40, ofMethod(ECHO))],
  "events that cannot be decoded": ["FRAME_INVALID", (client) => client.send(0x40, broken(ofMethod(NOTE)))],
  "calls of no method": ["METHOD_UNKNOWN", (client, id) => client.send(0x41, callFrame(id, UNKNOWN))],
  "calls that cannot be decoded": ["FRAME_INVALID", (client, id) => client.send(0x41, broken(callFrame(id, ECHO)))],
  "streams of no method": ["METHOD_UNKNOWN", (client, id) => client.send(0x45, openFrame(id, UNKNOWN, 1))],
  "streams the wrong way round": ["METHOD_UNKNOWN", (client, id) => client.send(0x45, openFrame(id, READ, 2))],
  "streams that cannot be decoded": [
    "FRAME_INVALID",
    (client, id) => client.send(0x45, broken(openFrame(id, READ, 1))),
  ],
};

for (const [name, [code, send]] of Object.entries(NONSENSE)) {
  test(`LIMIT_EXCEEDED: who sends nothing but ${name} is told of ten, then counted, then gone`, async () => {
    const { server, clock, intruder, serves, codes } = await serve();
    const client = await intruder();
    for (let round = 0; round <= 1000; round += 1) {
      send(client, round * 2 + 1);
      if (round % 10 === 0) await clock.advance(1);
    }
    while (server.stats.sessions > 0) await clock.advance(1);
    const { payload } = await client.frameOf(0x15);
    const reason = JSON.parse(String(payload.subarray(8))) as { readonly code: string; readonly message: string };
    assert.equal(reason.code, "LIMIT_EXCEEDED");
    assert.match(reason.message, /1001 invalid messages in a row; limits.maxWrongMessages is 1000/);
    client.close();
    await serves();
    await server.close({ timeoutMs: 0 });
    assert.deepEqual(codes(), { [code]: 10, LIMIT_EXCEEDED: 1, untold: 991 });
    assert.equal(clock.pending, 0, "a timer was left");
  });
}

test("nonsense among messages that make sense is read slowly, and told in part; nothing else is lost", async () => {
  const { server, clock, notes, intruder, serves, codes } = await serve();
  const client = await intruder();
  client.socket.cork();
  for (let round = 0; round < 3000; round += 1) {
    client.send(0x40, round % 3 === 0 ? eventFrame(NOTE, String(round)) : broken(ofMethod(NOTE)));
  }
  client.socket.uncork();
  // A second's work is there at once: 1,000 messages that make no sense, or a million others.
  while (notes.length < 490) await clock.turn();
  for (let turns = 0; turns < 100; turns += 1) await clock.turn();
  assert.ok(notes.length <= 510, `${notes.length} at once`);
  await clock.advance(500);
  while (notes.length < 740) await clock.turn();
  for (let turns = 0; turns < 100; turns += 1) await clock.turn();
  assert.ok(notes.length <= 760, `${notes.length} in half a second more`);
  await serves();
  while (notes.length < 1000) await clock.advance(10);
  assert.deepEqual(
    notes,
    Array.from({ length: 1000 }, (_, index) => String(index * 3)),
  );
  assert.equal(server.stats.sessions, 1);
  client.close();
  await server.close({ timeoutMs: 0 });
  const { FRAME_INVALID = 0, untold = 0, ...others } = codes();
  assert.deepEqual(others, {});
  assert.equal(FRAME_INVALID + untold, 2000);
  assert.ok(FRAME_INVALID <= 300, `${FRAME_INVALID} were told one by one`);
});

test("items that cannot be decoded fail their streams, and are told in part", async () => {
  const { server, clock, intruder, serves, codes } = await serve();
  const client = await intruder();
  for (let round = 0; round < 300; round += 1) {
    client.send(0x45, openFrame(round * 2 + 1, READ, 1));
    client.send(0x46, broken(idFrame(round * 2 + 1)));
    const { payload } = await client.frameOf(0x43);
    assert.match(String(payload.subarray(4)), /FRAME_INVALID/);
  }
  assert.equal(server.stats.sessions, 1, "the streams made sense");
  client.close();
  await serves();
  await server.close({ timeoutMs: 0 });
  assert.deepEqual(codes(), { FRAME_INVALID: 100, untold: 200 });
  assert.equal(clock.pending, 0);
});

test("maxWrongMessages: none, or all of them", async () => {
  const strict = await serve({ limits: { maxWrongMessages: 0 } });
  const first = await strict.intruder();
  first.send(0x40, ofMethod(UNKNOWN));
  await first.frameOf(0x15);
  await first.untilEnd();
  await strict.server.close();
  const patient = await serve({ limits: { maxWrongMessages: Infinity, maxMessagesPerSecond: Infinity } });
  const second = await patient.intruder();
  for (let count = 0; count < 5000; count += 1) second.send(0x40, ofMethod(UNKNOWN));
  second.send(0x40, eventFrame(NOTE, "still here"));
  while (patient.notes.length === 0) await patient.clock.turn();
  second.close();
  await patient.server.close({ timeoutMs: 0 });
  assert.deepEqual(patient.codes(), { METHOD_UNKNOWN: 10, untold: 4990 });
});

test("of many peers together a hundred problems are told in a second, broken handshakes among them", async () => {
  const { server, clock, intruder, serves, codes } = await serve();
  for (let count = 0; count < 15; count += 1) {
    const client = await intruder();
    for (let round = 0; round < 10; round += 1) client.send(0x40, ofMethod(UNKNOWN));
    client.send(0x41, callFrame(1, ECHO, "done"));
    await client.frameOf(0x42);
    client.close();
  }
  for (let count = 0; count < 15; count += 1) {
    const stranger = await RawClient.to(server.localAddress.port);
    stranger.socket.write("GET / HTTP/1.1\r\n\r\n");
    await stranger.untilEnd();
    stranger.close();
  }
  assert.deepEqual(codes(), { METHOD_UNKNOWN: 100 });
  await clock.advance(1000);
  assert.deepEqual(codes(), { untold: 65 });
  const stranger = await RawClient.to(server.localAddress.port);
  stranger.socket.write("GET / HTTP/1.1\r\n\r\n");
  await stranger.untilEnd();
  stranger.close();
  assert.deepEqual(codes(), { PROTOCOL_MISMATCH: 1 });
  await serves();
});
