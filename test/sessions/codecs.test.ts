/** The codecs of values: which one the two sides agree on, and what each carries. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, call, contract, event, type SessionCodec } from "../../src/protocol.ts";
import { connectSession, serveSessions } from "./opened.ts";

const echo = contract("echo", "1.0.0", {
  server: { echo: call(bytes, bytes), ready: call(), any: call<unknown, unknown>() },
});

async function serve(codecs?: readonly SessionCodec[]) {
  const server = await serveSessions(echo, "tcp://127.0.0.1:0", {
    ...(codecs === undefined ? {} : { codecs }),
    handlers: { echo: (piece) => piece, ready: () => undefined, any: (value) => value },
  });
  const open = (...wanted: readonly SessionCodec[]) => connectSession(echo, server.localAddress, { codecs: wanted });
  return { server, open };
}

test("the client's favourite among the codecs of the server is taken", async () => {
  const { open } = await serve(["json", "msgpack"]);
  // MessagePack has dates, and JSON has none.
  const date = new Date(0);
  assert.deepEqual(await (await open("bytes", "msgpack", "json")).remote.any(date), date);
  await assert.rejects((await open("bytes", "json", "msgpack")).remote.any(date), {
    code: "FRAME_INVALID",
    detail: /class Date/,
  });
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
  assert.deepEqual([...(await session.remote.echo(Uint8Array.of(0, 128, 255)))], [0, 128, 255]);
  assert.equal(await session.remote.ready(), undefined);
  await assert.rejects(session.remote.any("text"), { code: "FRAME_INVALID", side: "local", outcome: "none" });
});

test("bytes are the same in every codec, and an empty body is no value", async () => {
  const { open } = await serve();
  for (const codec of ["msgpack", "json", "bytes"] as const) {
    const session = await open(codec);
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    assert.deepEqual(new Uint8Array(await session.remote.echo(all)), all);
    assert.equal((await session.remote.echo(new Uint8Array(0))).length, 0);
    assert.equal(await session.remote.any(undefined), undefined);
  }
});

test("what a codec would change is refused where it is sent, in every codec, and the error says where it stands", async () => {
  class Point {
    readonly x = 1;
  }
  const sparse: unknown[] = [];
  sparse.length = 2;
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  const values: readonly unknown[] = [
    new Map([["a", 1]]),
    new Set([1]),
    { f() {} },
    { a: undefined },
    sparse,
    1n,
    Symbol("s"),
    { [Symbol("s")]: 1 },
    new Point(),
    { toJSON: () => 1 },
    Object.defineProperty({ a: 1 }, "toJSON", { value: () => 1 }),
    JSON.parse('{"__proto__":1}'),
    "half \ud83d",
    { "half \udc00": 1 },
    new Date(Number.NaN),
    new Float64Array(1),
    cycle,
  ];
  const { open } = await serve();
  for (const codec of ["msgpack", "json"] as const) {
    const session = await open(codec);
    const refused = { code: "FRAME_INVALID", side: "local", outcome: "none" } as const;
    for (const value of values) await assert.rejects(session.remote.any(value), refused, codec);
    await assert.rejects(session.remote.any({ users: [1, { name: new Map() }] }), {
      ...refused,
      detail: /\(value\.users\[1\]\.name\)/,
    });
    if (codec === "msgpack") continue;
    for (const value of [new Uint8Array([1]), new Date(0), Number.NaN, -Infinity])
      await assert.rejects(session.remote.any(value), refused);
  }
});

test("what is not refused arrives as it was sent, -0 too", async () => {
  const { open } = await serve();
  const values: readonly unknown[] = [
    null,
    true,
    -0,
    [0, -0],
    2 ** 60,
    1e300,
    "🦙",
    {},
    [[]],
    { constructor: 1, toJSON: 2, a: { b: [] } },
  ];
  for (const codec of ["msgpack", "json"] as const) {
    const session = await open(codec);
    for (const value of values) assert.deepEqual(await session.remote.any(value), value, codec);
  }
});

test("a message has a limit of values, which both sides can raise", async () => {
  const many = Array.from({ length: 20_000 }, () => ({}));
  const server = await serveSessions(echo, "tcp://127.0.0.1:0", {
    limits: { maxMessageValues: 30_000 },
    handlers: { echo: (piece) => piece, ready: () => undefined, any: (value) => value },
  });
  for (const codec of ["msgpack", "json"] as const) {
    const refusing = await connectSession(echo, server.localAddress, { codecs: [codec] });
    await assert.rejects(refusing.remote.any(many), { code: "FRAME_TOO_LONG", side: "local", outcome: "none" });
    const taking = await connectSession(echo, server.localAddress, {
      codecs: [codec],
      limits: { maxMessageValues: 30_000 },
    });
    assert.deepEqual(await taking.remote.any(many), many);
    const sending = await connectSession(echo, server.localAddress, {
      codecs: [codec],
      limits: { maxMessageValues: 100_000 },
    });
    await assert.rejects(sending.remote.any([...many, ...many]), {
      code: "FRAME_TOO_LONG",
      message: /more than 30000 values/,
    });
  }
  for (const maxMessageValues of [0, -1, 1.5, 2 ** 40]) {
    await assert.rejects(connectSession(echo, server.localAddress, { limits: { maxMessageValues } }), {
      code: "OPTION_INVALID",
    });
  }
});

test("sessions of one server may have different codecs, and one broadcast reaches them all", async () => {
  const news = contract("news", "1.0.0", { server: { sync: call() }, client: { told: event<{ n: number }>() } });
  const server = await serveSessions(news, "tcp://127.0.0.1:0", { handlers: { sync: () => undefined } });
  const heard: unknown[] = [];
  const sessions = [];
  for (const codec of ["msgpack", "json"] as const) {
    const handlers = { told: (message: unknown) => heard.push([codec, message]) };
    sessions.push(await connectSession(news, server.localAddress, { codecs: [codec], handlers }));
  }
  assert.equal(server.remote.told({ n: 1 }).sent, 2);
  for (const session of sessions) await session.remote.sync();
  assert.deepEqual(
    new Set(heard),
    new Set([
      ["msgpack", { n: 1 }],
      ["json", { n: 1 }],
    ]),
  );
});
