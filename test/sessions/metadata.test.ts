import assert from "node:assert/strict";
import { test } from "node:test";
import { call, contract, event, type Metadata, stream, typeOnly } from "../../src/protocol.ts";
import { encodeMetadata } from "../../src/io/contract/metadata.ts";
import { expectError } from "../../src/testing/expect-error.ts";
import { connectSession, connectStateless, serveSessions, serveStateless } from "./opened.ts";
import { RawClient } from "./raw-client.ts";
import { gate } from "../fixtures/gate.ts";

/* What goes with one message beside its question (docs/wire-protocol.md, section 5, "Metadata"). */

const places = contract("places", "1.0.0", {
  server: {
    ask: call<string, Metadata>(),
    say: event<string>(),
    open: stream({ request: typeOnly<string>(), sends: typeOnly<Metadata>() }),
    waits: call(undefined, typeOnly<Metadata>(), { order: "serial" }),
  },
  client: { back: call(undefined, typeOnly<Metadata>()) },
});

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async function startPlaces() {
  const said: Metadata[] = [];
  const errors: unknown[] = [];
  let wake: (() => void) | undefined;
  const server = await serveSessions(places, "tcp://127.0.0.1:0", {
    handlers: {
      ask: (_question, { metadata }) => metadata,
      say(_text, { metadata }) {
        said.push(metadata);
        wake?.();
      },
      open: async function* (_question, _stream, { metadata }) {
        yield metadata;
      },
      waits: async (_question, { metadata, session }) => {
        await session.remote.back(undefined, { metadata: { from: "server" } });
        return metadata;
      },
    },
    onError: (error) => {
      errors.push(error);
    },
  });
  const session = await connectSession(places, server.localAddress, {
    handlers: { back: (_question, { metadata }) => metadata },
  });
  const heard = async (count: number): Promise<void> => {
    while (said.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { server, session, said, errors, heard };
}

test("metadata go with calls, events and openings of streams, both ways", async () => {
  const { server, session, said, heard } = await startPlaces();
  assert.deepEqual(
    { ...(await session.remote.ask("a", { metadata: { traceparent: TRACE } })) },
    { traceparent: TRACE },
  );
  await session.remote.say("a", { metadata: { lang: "es-ñ" } });
  await session.remote.say("b");
  await heard(2);
  assert.deepEqual(
    said.map((one) => ({ ...one })),
    [{ lang: "es-ñ" }, {}],
  );
  for await (const item of session.remote.open("a", { metadata: { x: "1" } }))
    assert.deepEqual({ ...item }, { x: "1" });
  const [served] = server.sessions.values();
  assert.deepEqual({ ...(await served?.remote.back(undefined, { metadata: { y: "" } })) }, { y: "" });
  assert.deepEqual({ ...(await session.remote.waits(undefined, { metadata: { z: "2" } })) }, { z: "2" });
});

test("a message without metadata has none, and one with empty ones neither", async () => {
  const { session } = await startPlaces();
  assert.deepEqual({ ...(await session.remote.ask("a")) }, {});
  assert.deepEqual({ ...(await session.remote.ask("a", { metadata: {} })) }, {});
});

test("metadata that cannot be sent reject, and nothing is sent", async () => {
  const { session, said, heard } = await startPlaces();
  const metadata = { Upper: "x" };
  await expectError(session.remote.ask("a", { metadata }), { code: "OPTION_INVALID", op: "ask", outcome: "none" });
  await expectError(session.remote.say("a", { metadata }), { code: "OPTION_INVALID", op: "say", outcome: "none" });
  const opened = session.remote.open("a", { metadata });
  await expectError(opened[Symbol.asyncIterator]().next(), { code: "OPTION_INVALID", op: "open" });
  await expectError(session.remote.say("a", { timeoutMs: 1 } as never), { code: "OPTION_INVALID", op: "say" });
  await expectError(session.remote.ask("a", { metadat: {} } as never), { code: "OPTION_INVALID", op: "ask" });
  await session.remote.say("b");
  await heard(1);
  assert.equal(said.length, 1);
});

test("a caller may change its metadata as soon as it has called", async () => {
  const { session } = await startPlaces();
  const metadata = { a: "1" };
  const asked = session.remote.ask("a", { metadata });
  metadata.a = "2";
  assert.deepEqual({ ...(await asked) }, { a: "1" });
});

test("calls that wait for room keep their metadata", async () => {
  const { session } = await startPlaces();
  const many = Array.from({ length: 400 }, (_, index) => session.remote.ask("a", { metadata: { index: `${index}` } }));
  for (const [index, answer] of (await Promise.all(many)).entries()) assert.equal(answer["index"], String(index));
});

/** A frame CALL of method 0, "ask", with these bytes before its body. */
function callOf(id: number, head: Buffer): Buffer {
  const fields = Buffer.alloc(10);
  fields.writeUInt32BE(id);
  fields.writeUInt16BE(0x8000, 4);
  fields.writeUInt32BE(0xffff_ffff, 6);
  return Buffer.concat([fields, head, Buffer.from('"a"')]);
}

const HEAD = encodeMetadata("ask", { a: "1" }) ?? Buffer.alloc(0);

test("a peer that does not know metadata is sent none, and may send none", async () => {
  const { server } = await startPlaces();
  const client = await RawClient.to(server.localAddress.port);
  const welcome = await client.hello("places", { offers: ["back"], features: ["other"] });
  assert.deepEqual(welcome["features"], []);
  const served = server.sessions.get(welcome["session"] as string);
  const asked = served?.remote.back(undefined, { metadata: { a: "1" } });
  const { payload } = await client.frameOf(0x41);
  assert.equal(payload.readUInt16BE(4), 0, "the number of the method has no mark");
  assert.equal(payload.length, 10, "there is no body, and nothing before it");
  client.send(0x41, callOf(1, HEAD));
  const { payload: error } = await client.frameOf(0x43);
  assert.match(String(error), /METHOD_UNKNOWN/);
  client.close();
  await server.close({ timeoutMs: 0 });
  await expectError(asked as Promise<unknown>, { code: "CLOSED" });
});

test("metadata that cannot be read are answered as a question that makes no sense, and the session goes on", async () => {
  const { server, errors } = await startPlaces();
  const client = await RawClient.to(server.localAddress.port);
  const welcome = await client.hello("places", { features: ["metadata"] });
  assert.deepEqual(welcome["features"], ["metadata"]);
  client.send(0x41, callOf(1, Buffer.from("ffff", "hex")));
  assert.match(String((await client.frameOf(0x43)).payload), /FRAME_TOO_LONG/);
  client.send(0x41, callOf(3, Buffer.from("000401410000", "hex")));
  assert.match(String((await client.frameOf(0x43)).payload), /FRAME_INVALID/);
  assert.equal(errors.length, 2);
  client.send(0x41, callOf(5, HEAD));
  assert.equal(String((await client.frameOf(0x42)).payload.subarray(4)), '{"a":"1"}');
});

test("calls and events that a client is asked for between two sessions keep their metadata", async () => {
  const { open: tell, opened: detached } = gate();
  const first = await startPlaces();
  const { port } = first.server.localAddress;
  const session = await connectSession(places, first.server.localAddress, {
    reconnect: { initialDelayMs: 1, maxDelayMs: 5 },
    handlers: { back: (_question, { metadata }) => metadata },
    onDetach: () => tell(),
  });
  await first.server.close({ reconnectSpreadMs: 0 });
  await detached;
  const metadata = { a: "1" };
  const asked = session.remote.ask("a", { metadata });
  metadata.a = "2";
  await expectError(session.remote.ask("b", { metadata: { B: "" } }), { code: "OPTION_INVALID" });
  await serveSessions(places, `tcp://127.0.0.1:${port}`, {
    handlers: {
      ask: (_question, context) => context.metadata,
      say: () => undefined,
      open: () => undefined,
      waits: () => ({}),
    },
  });
  assert.deepEqual({ ...(await asked) }, { a: "1" });
});

test("a call with metadata that is lost is told by the name of its method", async () => {
  const { server } = await startPlaces();
  const client = await RawClient.to(server.localAddress.port);
  const welcome = await client.hello("places", { offers: ["back"], features: ["metadata"] });
  const served = server.sessions.get(welcome["session"] as string);
  const asked = served?.remote.back(undefined, { metadata: { a: "1" } });
  const { payload } = await client.frameOf(0x41);
  assert.equal(payload.readUInt16BE(4), 0x8000);
  served?.abort();
  const { lost } = (await served?.closed) ?? {};
  assert.deepEqual(lost, [{ kind: "call", method: "back", outcome: "unknown" }]);
  await assert.rejects(asked as Promise<unknown>);
});

test("what is sent again after a lost connection has its metadata", async () => {
  const { server } = await startPlaces();
  const first = await RawClient.to(server.localAddress.port);
  const fields = { offers: ["back"], features: ["metadata"] };
  const { session, token, server: instance } = await first.hello("places", fields);
  const asked = server.sessions.get(session as string)?.remote.back(undefined, { metadata: { a: "1" } });
  const { payload } = await first.frameOf(0x41);
  first.close();
  const resume = { session, token, server: instance, attempt: 1, received: 0, acknowledged: 0, sent: 0 };
  const second = await RawClient.to(server.localAddress.port);
  assert.equal((await second.hello("places", { ...fields, resume }))["received"], 0);
  const again = (await second.frameOf(0x41)).payload;
  assert.deepEqual(again.subarray(10), payload.subarray(10));
  assert.equal(again.readUInt16BE(4), 0x8000);
  second.send(0x42, Buffer.concat([again.subarray(0, 4), Buffer.from('{"b":"2"}')]));
  assert.deepEqual(await asked, { b: "2" });
});

const noted = contract("noted", "1.0.0", {
  server: { ask: call(typeOnly<string>(), typeOnly<Metadata>(), { idempotent: true }), say: event<string>() },
});

test("over datagrams, too", async () => {
  const { open: hear, opened: heard } = gate<Metadata>();
  const server = await serveStateless(noted, "udp://127.0.0.1:0", {
    handlers: { ask: (_question, { metadata }) => metadata, say: (_text, { metadata }) => hear(metadata) },
  });
  const client = await connectStateless(noted, server.localAddress);
  assert.deepEqual({ ...(await client.remote.ask("a", { metadata: { traceparent: TRACE } })) }, { traceparent: TRACE });
  assert.deepEqual({ ...(await client.remote.ask("a")) }, {});
  await client.remote.say("a", { metadata: { b: "2" } });
  assert.deepEqual({ ...(await heard) }, { b: "2" });
  const bad = { metadata: { Upper: "" } };
  await expectError(client.remote.ask("a", bad), { code: "OPTION_INVALID", op: "ask" });
  await expectError(client.remote.say("a", bad), { code: "OPTION_INVALID", op: "say" });
  const long = { metadata: { a: "x".repeat(2000) } };
  await expectError(client.remote.ask("a", long), { code: "DATAGRAM_TOO_LARGE" });
});
