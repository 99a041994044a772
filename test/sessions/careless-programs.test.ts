/** Programs that use a session in a way that nobody meant: one typed error or the obvious thing, and no hang. */

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { test } from "node:test";
import { inspect } from "node:util";
import { call, contract, event, RemoteError, stream, typeOnly } from "../../src/protocol.ts";
import { gate } from "../fixtures/gate.ts";
import { connectSession, serveSessions } from "./opened.ts";

const room = contract("room", "1.0.0", {
  server: {
    say: event<string>(),
    who: call<void, string>(),
    stuck: call<void, string>(),
    take: call<string, string>(),
    one: stream({ sends: typeOnly<string>() }),
    quiet: stream({ sends: typeOnly<string>() }),
    upload: stream({ receives: typeOnly<string>() }),
    echo: stream({ sends: typeOnly<string>(), receives: typeOnly<string>() }),
  },
  client: { news: event<string>() },
});

async function opened(tuning: object = {}) {
  const quietLeft = gate();
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    limits: { windowBytes: 100_000_000, maxStreams: 2, streamWindowBytes: 10_000 },
    handlers: {
      say: () => undefined,
      who: () => "you",
      stuck: () => new Promise<string>(() => undefined),
      take: () => new Promise<string>(() => undefined),
      one: () => ["x".repeat(1000)],
      quiet: async (_nothing, items) => {
        await once(items.signal, "abort");
        quietLeft.open();
        return undefined;
      },
      upload: async (_nothing, items) => {
        for await (const item of items) throw new RemoteError("REFUSED", item);
      },
      echo: (_nothing, items) => items,
    },
  });
  const session = await connectSession(room, server.localAddress, {
    handlers: { news: () => undefined },
    reconnect: false,
    ...tuning,
  });
  return { server, session, quietLeft };
}

test("close with something that is no text: OPTION_INVALID, and the session goes on", async () => {
  const { session } = await opened();
  for (const message of [null, 5, { type: "click" }]) {
    await assert.rejects(session.close({ timeoutMs: 0, message: message as unknown as string }), {
      code: "OPTION_INVALID",
      op: "close",
    });
    assert.equal(await session.remote.who(), "you");
  }
  await session.close({ timeoutMs: 0, message: "" });
  assert.equal((await session.closed).message, "");
});

test("close with wrong options: OPTION_INVALID, and the session goes on", async () => {
  const { session } = await opened();
  for (const options of [null, 5, { timeoutMs: Number.NaN }, { timeoutMs: -1 }, { signal: 5 }]) {
    await assert.rejects(session.close(options as unknown as object), { code: "OPTION_INVALID", op: "close" });
    assert.equal(await session.remote.who(), "you");
  }
});

test("close twice at once: both wait for the same end", async () => {
  const { session } = await opened();
  await Promise.all([session.close({ timeoutMs: Infinity }), session.close({ timeoutMs: Infinity })]);
  assert.equal(session.state, "closed");
});

test("methods that were taken off their object say how to call them", async () => {
  const { server, session } = await opened();
  const items = session.remote.echo();
  const group = server.group("g");
  const objects: Readonly<Record<string, object>> = { session, stream: items, server, group };
  const methods: Readonly<Record<string, readonly string[]>> = {
    session: ["close", "abort"],
    stream: ["send", "end", "abort", "messages"],
    server: ["group", "close", "abort"],
    group: ["join", "leave", "has"],
  };
  for (const [object, names] of Object.entries(methods)) {
    for (const name of names) {
      const method = (objects[object] as Record<string, () => unknown>)[name] as () => unknown;
      const expected = { code: "OPTION_INVALID", op: name, message: new RegExp(`as ${object}\\.${name}\\(`) };
      await assert.rejects(async () => {
        await method();
      }, expected);
    }
  }
  assert.equal(await session.remote.who(), "you");
});

test("functions of remote may be taken off and passed on, and no name is taken", async () => {
  const names = contract("names", "1.0.0", {
    server: { close: call(typeOnly<string>(), typeOnly<string>()), toString: call(), constructor: call() },
  });
  const handlers = {
    close: (listener: string) => `${listener} closed`,
    toString: () => undefined,
    constructor: () => undefined,
  };
  await using server = await serveSessions(names, "tcp://127.0.0.1:0", { handlers });
  await using session = await connectSession(names, server.localAddress);
  const { close, toString, constructor } = session.remote;
  assert.deepEqual(await Promise.all(["north", "south"].map((listener) => close(listener))), [
    "north closed",
    "south closed",
  ]);
  await toString();
  await constructor();
  assert.equal(session.remote, session.remote);
});

test("what console.log shows of a session", async () => {
  const { server, session } = await opened();
  assert.equal(
    inspect(session, { breakLength: Infinity }),
    `Session { id: '${session.id}', state: 'open', principal: undefined, remoteAddress: Address <${String(server.localAddress)}> }`,
  );
  assert.equal(JSON.stringify(session), "{}");
});

test("every method after close: CLOSED, in the same words", async () => {
  const { session } = await opened();
  const before = session.remote.echo();
  await session.close({ timeoutMs: 0, message: "enough" });
  const after = session.remote.echo();
  for (const attempt of [
    () => session.remote.say("x"),
    () => session.remote.who(),
    () => before.send("x"),
    () => after.send("x"),
    () => before[Symbol.asyncIterator]().next(),
    () => after[Symbol.asyncIterator]().next(),
  ]) {
    await assert.rejects(async () => await attempt(), {
      code: "CLOSED",
      detail: "this side has closed the session (enough)",
    });
  }
  before.end();
  after.abort();
  await session.close();
  await session.close({ timeoutMs: 0 });
  session.abort();
  session.interop.ref();
  assert.equal(session.state, "closed");
});

test("a loop that is left while it waits for an item cancels the stream at once", async () => {
  const { session, quietLeft } = await opened();
  const items = session.remote.quiet()[Symbol.asyncIterator]();
  const waiting = items.next();
  assert.deepEqual(await items.return?.(), { done: true, value: undefined });
  assert.deepEqual(await waiting, { done: true, value: undefined });
  assert.deepEqual(await items.next(), { done: true, value: undefined });
  await quietLeft.opened;
});

test("streams that nobody reads to their end cost the session nothing when they are over", async () => {
  // All open streams together may hold 10,000 bytes.
  const { session } = await opened({ limits: { maxStreams: 1, streamWindowBytes: 10_000 } });
  for (let count = 0; count < 50; count += 1) {
    session.remote.one();
    // Its answer comes behind the items, and their end.
    assert.equal(await session.remote.who(), "you");
  }
  assert.ok(session.stats.heldBytes < 5000, `${session.stats.heldBytes} bytes are held`);
});

test("what a stream has brought that its handler did not want is forgotten with the handler", async () => {
  const { server, session } = await opened();
  // The server holds 20,000 bytes of all open streams together.
  for (let count = 0; count < 30; count += 1) {
    const items = session.remote.upload();
    for (let item = 0; item < 5; item += 1) void items.send("x".repeat(900));
    await once(items.signal, "abort");
    assert.equal((items.signal.reason as RemoteError).code, "REFUSED");
  }
  assert.equal(await session.remote.who(), "you");
  assert.ok(server.stats.heldBytes < 10_000, `${server.stats.heldBytes} bytes are held`);
});

test("calls and items that nobody awaits wait in bounded memory; those beyond are QUEUE_FULL", async () => {
  const { session } = await opened({ limits: { maxMessageBytes: 1_048_576 } });
  const items = session.remote.echo();
  await session.remote.who();
  const page = "x".repeat(500_000);
  const codes: Record<string, number> = {};
  const note = (error: unknown): void => {
    const { code } = error as { readonly code: string };
    codes[code] = (codes[code] ?? 0) + 1;
  };
  const waiting: Promise<unknown>[] = [];
  for (let count = 0; count < 200; count += 1) {
    waiting.push(session.remote.take(page).catch(note), Promise.resolve(items.send(page)).catch(note));
  }
  // 16 MiB of each, one more that is begun, and what has its number.
  const most = 2 * (16_777_216 + 500_000) + 2_500_000;
  const held = session.stats.heldBytes;
  assert.ok(held > 33_000_000 && held < most, `${held} bytes are held`);
  session.abort();
  await Promise.all(waiting);
  const { QUEUE_FULL: full = 0, CONNECTION_ABORTED: aborted = 0, ...others } = codes;
  assert.deepEqual(others, {});
  assert.ok(full > 300 && aborted > 60, `${full} and ${aborted}`);
  assert.ok(session.stats.heldBytes < 3_000_000);
});

test("maxHeldBytesPerSession: calls, events and items that wait share it, and none of them is free", async () => {
  const { session } = await opened({ limits: { maxHeldBytesPerSession: 200_000 }, resume: { maxReplayMessages: 1 } });
  const items = session.remote.echo();
  const codes: Record<string, number> = {};
  const waiting: Promise<unknown>[] = [];
  const note = (sent: Promise<unknown> | undefined): void => {
    const told = Promise.resolve(sent).catch((error: { readonly code: string }) => {
      codes[error.code] = (codes[error.code] ?? 0) + 1;
    });
    waiting.push(told);
  };
  // None of them has a byte to carry.
  for (let count = 0; count < 1000; count += 1) {
    note(session.remote.say(undefined as unknown as string));
    note(session.remote.who());
    note(items.send(undefined as unknown as string));
  }
  const { heldBytes } = session.stats;
  assert.ok(heldBytes > 190_000 && heldBytes <= 200_000, `${heldBytes} bytes are held`);
  session.abort();
  await Promise.all(waiting);
  const { QUEUE_FULL: full = 0 } = codes;
  assert.ok(full > 2000, `${full} were refused`);
});

test("one signal for many calls and streams: no warning of a leak, and all of them end", async () => {
  const { session } = await opened();
  const warnings: Error[] = [];
  const listener = (warning: Error): void => void warnings.push(warning);
  process.on("warning", listener);
  const controller = new AbortController();
  const { signal } = controller;
  const calls = Array.from({ length: 50 }, () =>
    session.remote.stuck(undefined, { signal }).catch((error: unknown) => error),
  );
  assert.equal(await session.remote.who(undefined, { signal }), "you");
  const streams = Array.from({ length: 50 }, () => session.remote.echo(undefined, { signal }));
  assert.equal(getEventListeners(signal, "abort").length, 1);
  const reason = new Error("enough");
  controller.abort(reason);
  for (const each of await Promise.all(calls)) assert.equal(each, reason);
  for (const each of streams) assert.equal(each.signal.reason, reason);
  assert.equal(getEventListeners(signal, "abort").length, 0);
  process.off("warning", listener);
  assert.deepEqual(warnings, []);
});

test("options that cannot be what the program meant: OPTION_INVALID, before anything is opened", async () => {
  const { server } = await opened();
  const news = (): undefined => undefined;
  const ring: unknown[] = [];
  ring.push(ring);
  for (const options of [
    { signal: null },
    { signal: {} },
    { timeoutMs: null },
    { timeoutMs: Symbol("soon") },
    { timeoutMs: 5n },
    { auth: 5n },
    { auth: ring },
    { auth: () => ring },
  ]) {
    const given = { handlers: { news }, ...options } as object as { readonly handlers: { readonly news: () => void } };
    await assert.rejects(connectSession(room, server.localAddress, given), { code: "OPTION_INVALID", side: "local" });
  }
  for (const store of [null, 5, {}, new Map()]) {
    const given = { handlers: {}, resume: { store } } as never;
    const nothing = contract("nothing", "1.0.0", {});
    await assert.rejects(serveSessions(nothing, "tcp://127.0.0.1:0", given), { code: "OPTION_INVALID" });
  }
});

test("a session that ends with 200,000 messages tells of each", async () => {
  const { session } = await opened({ resume: { maxReplayMessages: 1_000_000, maxReplayBytes: 100_000_000 } });
  for (let count = 0; count < 200_000; count += 1) void session.remote.say("x");
  session.abort();
  const { error, lost } = await session.closed;
  assert.deepEqual([error?.code, lost.length], ["CONNECTION_ABORTED", 200_000]);
});

test("a value without a form: the error says whose value it is", async () => {
  const { session } = await opened();
  const odd = 1n as unknown as string;
  const detail = /msgpack: a part of the message is of type bigint/;
  const expected = (what: string) => ({ code: "FRAME_INVALID", op: "send", message: new RegExp(what + detail.source) });
  await assert.rejects(async () => await session.remote.say(odd), expected('the event "say": '));
  await assert.rejects(async () => await session.remote.echo().send(odd), expected('an item of "echo": '));
});

test("a group has a string for a name", async () => {
  const { server } = await opened();
  const thrown = { code: "OPTION_INVALID", op: "group", message: /name must be a string, not object/ };
  assert.throws(() => server.group({ room: 1 } as unknown as string), thrown);
  for (const said of [() => server.group("\ud800"), () => server.principal("a\udc00"), () => server.session("\ud800")])
    assert.throws(said, { code: "OPTION_INVALID", message: /name has half of a surrogate pair/ });
});
