/** The codecs of values: which one the two sides agree on, and what each carries. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, call, contract, event, type SessionCodec } from "../../src/protocol.ts";
import { openSession, serveSessions } from "./opened.ts";

const echo = contract("echo", "1.0.0", {
  server: { echo: call(bytes, bytes), ready: call(), any: call<unknown, unknown>() },
});

async function serve(codecs?: readonly SessionCodec[]) {
  const server = await serveSessions(echo, "tcp://127.0.0.1:0", {
    ...(codecs === undefined ? {} : { codecs }),
    handlers: { echo: (piece) => piece, ready: () => undefined, any: (value) => value },
  });
  const open = (...wanted: readonly SessionCodec[]) => openSession(echo, server.localAddress, { codecs: wanted });
  return { server, open };
}

test("the client's favourite among the codecs of the server is taken", async () => {
  const { open } = await serve(["json", "msgpack"]);
  // A Date is one in MessagePack, and a text in JSON.
  const date = new Date(0);
  assert.deepEqual(await (await open("bytes", "msgpack", "json")).any(date), date);
  assert.equal(await (await open("bytes", "json", "msgpack")).any(date), date.toISOString());
});

test("without a codec in common the client is refused, and told what there is", async () => {
  const { server, open } = await serve(["json"]);
  await assert.rejects(open("msgpack", "bytes"), (error: Error & { readonly code?: string }) => {
    assert.equal(error.code, "CODEC_UNSUPPORTED");
    assert.match(error.message, /json/);
    return true;
  });
  assert.equal(server.stats.sessions, 0);
});

test("the codec bytes carries bytes and nothing at all", async () => {
  const { open } = await serve();
  const session = await open("bytes");
  assert.deepEqual([...(await session.echo(Uint8Array.of(0, 128, 255)))], [0, 128, 255]);
  assert.equal(await session.ready(), undefined);
  await assert.rejects(session.any("text"), { code: "FRAME_INVALID", side: "local", outcome: "none" });
});

test("bytes are the same in every codec, and an empty body is no value", async () => {
  const { open } = await serve();
  for (const codec of ["msgpack", "json", "bytes"] as const) {
    const session = await open(codec);
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    assert.deepEqual(new Uint8Array(await session.echo(all)), all);
    assert.equal((await session.echo(new Uint8Array(0))).length, 0);
    assert.equal(await session.any(undefined), undefined);
  }
});

test("sessions of one server may have different codecs, and one broadcast reaches them all", async () => {
  const news = contract("news", "1.0.0", { server: { sync: call() }, client: { told: event<{ n: number }>() } });
  const server = await serveSessions(news, "tcp://127.0.0.1:0", { handlers: { sync: () => undefined } });
  const heard: unknown[] = [];
  const sessions = [];
  for (const codec of ["msgpack", "json"] as const) {
    const handlers = { told: (message: unknown) => heard.push([codec, message]) };
    sessions.push(await openSession(news, server.localAddress, { codecs: [codec], handlers }));
  }
  assert.equal(server.broadcast("told", { n: 1 }).sent, 2);
  for (const session of sessions) await session.sync();
  assert.deepEqual(
    new Set(heard),
    new Set([
      ["msgpack", { n: 1 }],
      ["json", { n: 1 }],
    ]),
  );
});
