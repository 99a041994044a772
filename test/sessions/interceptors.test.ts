import assert from "node:assert/strict";
import { test } from "node:test";
import {
  call,
  contract,
  event,
  type InterceptedMessage,
  type Interceptor,
  type Metadata,
  RemoteError,
  type StatelessMessage,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { expectError } from "../../src/testing/expect-error.ts";
import { connectSession, connectStateless, serveSessions, serveStateless } from "./opened.ts";
import { gate } from "../fixtures/gate.ts";

/* What `around` sees, and what it may do. */

const desk = contract("desk", "1.0.0", {
  server: {
    add: call<{ a: number; b: number }, number>(),
    tell: event<string>(),
    count: stream({ request: typeOnly<number>(), sends: typeOnly<number>() }),
    collect: stream({ receives: typeOnly<number>() }),
    meta: call(undefined, typeOnly<Metadata>()),
    ask: call(undefined, typeOnly<string>()),
  },
  client: { name: call<string, string>() },
});

type Around = Interceptor<InterceptedMessage>;

async function startDesk(around: { readonly server?: Around; readonly client?: Around }) {
  const told: string[] = [];
  const errors: unknown[] = [];
  const { open: hear, opened: heard } = gate();
  const sums: number[] = [];
  const server = await serveSessions(desk, "tcp://127.0.0.1:0", {
    ...(around.server === undefined ? {} : { around: around.server }),
    authenticate: () => "ana",
    handlers: {
      add: ({ a, b }) => a + b,
      tell(text) {
        told.push(text);
        hear();
      },
      count: async function* (to) {
        for (let next = 1; next <= to; next += 1) yield next;
      },
      async collect(_question, numbers) {
        let sum = 0;
        for await (const number of numbers) sum += number;
        sums.push(sum);
      },
      meta: (_question, { metadata }) => metadata,
      ask: (_question, { session }) => session.remote.name("server"),
    },
    onError: (error) => {
      errors.push(error);
    },
  });
  const session = await connectSession(desk, server.localAddress, {
    ...(around.client === undefined ? {} : { around: around.client }),
    handlers: { name: (asker) => `client of ${asker}` },
  });
  return { server, session, told, heard, errors, sums };
}

/** Notes what passes, and lets it pass. */
function noting(notes: string[]): Around {
  return async ({ direction, method, kind, question }, next) => {
    notes.push(`${direction} ${kind} ${method} ${JSON.stringify(question)}`);
    const answer = await next();
    notes.push(`${direction} ${method} is over`);
    return answer;
  };
}

test("it sees calls, events and streams of both directions, with their answers", async () => {
  const atServer: string[] = [];
  const atClient: string[] = [];
  const { session, heard, told, sums } = await startDesk({ server: noting(atServer), client: noting(atClient) });
  assert.equal(await session.remote.add({ a: 1, b: 2 }), 3);
  await session.remote.tell("hola");
  await heard;
  assert.deepEqual(told, ["hola"]);
  const items: number[] = [];
  for await (const item of session.remote.count(3)) items.push(item);
  assert.deepEqual(items, [1, 2, 3]);
  const collecting = session.remote.collect();
  for (const number of [1, 2, 3]) await collecting.send(number);
  collecting.end();
  assert.deepEqual(await collecting[Symbol.asyncIterator]().next(), { done: true, value: undefined });
  assert.equal(await session.remote.ask(), "client of server");
  assert.deepEqual(sums, [6]);
  assert.deepEqual(atClient, [
    'outgoing call add {"a":1,"b":2}',
    "outgoing add is over",
    'outgoing event tell "hola"',
    "outgoing tell is over",
    "outgoing stream count 3",
    "outgoing count is over",
    "outgoing stream collect undefined",
    "outgoing collect is over",
    "outgoing call ask undefined",
    'incoming call name "server"',
    "incoming name is over",
    "outgoing ask is over",
  ]);
  assert.deepEqual(atServer, [
    'incoming call add {"a":1,"b":2}',
    "incoming add is over",
    'incoming event tell "hola"',
    "incoming tell is over",
    "incoming stream count 3",
    "incoming count is over",
    "incoming stream collect undefined",
    "incoming collect is over",
    "incoming call ask undefined",
    'outgoing call name "server"',
    "outgoing name is over",
    "incoming ask is over",
  ]);
});

test("it adds metadata to what is sent, and sees what came", async () => {
  const seen: Metadata[] = [];
  const { session } = await startDesk({
    client: (message, next) => {
      if (message.direction === "outgoing") message.metadata["traceparent"] = "00-1-2-01";
      return next();
    },
    server: (message, next) => {
      seen.push(message.metadata);
      return next();
    },
  });
  const given = { tenant: "t" };
  const came = await session.remote.meta(undefined, { metadata: given });
  assert.deepEqual({ ...came }, { tenant: "t", traceparent: "00-1-2-01" });
  assert.deepEqual({ ...seen[0] }, { ...came });
  assert.deepEqual(given, { tenant: "t" }, "what the caller gave is its own");
});

test("what it throws instead of calling next refuses a call and a stream with its code", async () => {
  const { session, errors } = await startDesk({
    server: ({ method }) => {
      throw method === "add" ? new RemoteError("FORBIDDEN", `not ${method}`) : new Error("secret");
    },
  });
  await assert.rejects(session.remote.add({ a: 1, b: 2 }), { code: "FORBIDDEN", message: "not add" });
  await assert.rejects(session.remote.count(1)[Symbol.asyncIterator]().next(), { code: "INTERNAL" });
  await assert.rejects(session.remote.meta(), { code: "INTERNAL", message: "the handler failed" });
  assert.deepEqual(
    errors.map((error) => (error as Error).message),
    ["secret", "secret"],
  );
});

test("at the side that calls, what it throws is what the caller gets, and nothing is sent", async () => {
  const refusal = new Error("no more today");
  const { session, told } = await startDesk({
    client: (message) => {
      if (message.kind === "event") return undefined;
      throw refusal;
    },
  });
  await assert.rejects(session.remote.add({ a: 1, b: 2 }), (error) => error === refusal);
  await assert.rejects(session.remote.count(1)[Symbol.asyncIterator]().next(), (error) => error === refusal);
  await session.remote.tell("nobody hears it");
  assert.deepEqual(told, []);
});

test("it may answer by itself, and a stream that it does not open is closed", async () => {
  const { session } = await startDesk({ client: (message) => (message.kind === "stream" ? undefined : 42) });
  assert.equal(await session.remote.add({ a: 1, b: 2 }), 42);
  await expectError(session.remote.count(1)[Symbol.asyncIterator]().next(), { code: "CLOSED", op: "count" });
});

test("options that are wrong reject as without one", async () => {
  const { session, told } = await startDesk({ client: (_message, next) => next() });
  const question = { a: 1, b: 2 };
  for (const options of [{ metadata: "abc" }, { metadata: { Upper: "" } }, { timeoutMs: -1 }, { other: 1 }, 7]) {
    await expectError(session.remote.add(question, options as never), { code: "OPTION_INVALID", op: "add" });
    await expectError(session.remote.tell("x", options as never), { code: "OPTION_INVALID", op: "tell" });
  }
  await expectError(session.remote.tell("x", { timeoutMs: 5000 } as never), { code: "OPTION_INVALID", op: "tell" });
  await expectError(session.remote.add(question, { timeoutMs: 0 }), { code: "TIMEOUT", op: "add", outcome: "none" });
  assert.deepEqual(told, []);
});

test("an event that it drops at the side of the handler is handled as far as the peer knows", async () => {
  const { session, told, heard, errors } = await startDesk({
    server: (message, next) => (message.question === "spam" ? undefined : next()),
  });
  for (const text of ["spam", "spam", "hola"]) await session.remote.tell(text);
  await heard;
  assert.deepEqual(told, ["hola"]);
  assert.deepEqual(errors, []);
});

test("next answers the same promise each time: nothing is sent or handled twice", async () => {
  let handled = 0;
  const { session } = await startDesk({
    client: async (_message, next) => {
      assert.equal(next(), next());
      return await next();
    },
    server: async (_message, next) => {
      handled += 1;
      await next();
      return await next();
    },
  });
  assert.equal(await session.remote.add({ a: 2, b: 2 }), 4);
  assert.equal(handled, 1);
});

test("the deadline and the signal of a call are there, and the time runs before next", async () => {
  const { open: abort, opened: aborted } = gate();
  const seen: { deadline: number; signal: AbortSignal | undefined }[] = [];
  const { session } = await startDesk({
    client: (message, next) => {
      seen.push(message);
      return message.method === "meta" ? aborted.then(next) : next();
    },
  });
  const controller = new AbortController();
  const before = performance.now();
  await session.remote.add({ a: 1, b: 2 }, { timeoutMs: 60_000, signal: controller.signal });
  assert.equal(seen[0]?.signal, controller.signal);
  assert.ok((seen[0]?.deadline ?? 0) >= before + 60_000);
  const late = session.remote.meta(undefined, { signal: controller.signal });
  const reason = new Error("changed my mind");
  controller.abort(reason);
  abort();
  await assert.rejects(late, (error) => error === reason);
  assert.ok((seen[1]?.deadline ?? Infinity) < Infinity, "a call has a time-out by default");
  await session.remote.tell("x");
  assert.equal(seen[2]?.deadline, Infinity);
});

test("the session is that of the program, and a rejection that nobody looks at ends nothing", async () => {
  const sessions: object[] = [];
  const server = await serveSessions(desk, "tcp://127.0.0.1:0", {
    around: ({ session: { principal }, method }, next) => {
      if (principal !== "ana") throw new RemoteError("FORBIDDEN", `${principal} must not ${method}`);
      return next();
    },
    authenticate: ({ auth }) => String(auth),
    handlers: {
      add: ({ a, b }) => a + b,
      tell: () => undefined,
      count: () => [],
      collect: () => undefined,
      meta: () => ({}),
      ask: () => "",
    },
  });
  const open = (auth: string) =>
    connectSession(desk, server.localAddress, {
      auth,
      around: ({ session }, next) => {
        sessions.push(session);
        return next();
      },
      handlers: { name: () => "" },
    });
  const ana = await open("ana");
  const eva = await open("eva");
  assert.equal(await ana.remote.add({ a: 1, b: 1 }), 2);
  await assert.rejects(eva.remote.add({ a: 1, b: 1 }), { code: "FORBIDDEN", message: "eva must not add" });
  assert.deepEqual(sessions, [ana, eva]);
  void eva.remote.add({ a: 1, b: 1 });
  await eva.close();
});

test("over datagrams it sees the peer", async () => {
  const sums = contract("sums", "1.0.0", {
    server: {
      add: call(typeOnly<{ a: number; b: number }>(), typeOnly<number>(), { idempotent: true }),
      tell: event<string>(),
    },
  });
  const notes: string[] = [];
  const note: Interceptor<StatelessMessage> = async ({ direction, method, kind, peer }, next) => {
    notes.push(`${direction} ${kind} ${method} ${peer.host}`);
    if (method === "add" && direction === "incoming" && notes.length > 4) throw new RemoteError("BUSY");
    return await next();
  };
  const { open: hear, opened: heard } = gate<string>();
  const server = await serveStateless(sums, "udp://127.0.0.1:0", {
    around: note,
    handlers: { add: ({ a, b }) => a + b, tell: hear },
  });
  const client = await connectStateless(sums, server.localAddress, { around: note });
  assert.equal(await client.remote.add({ a: 1, b: 2 }), 3);
  await client.remote.tell("hola");
  assert.equal(await heard, "hola");
  await assert.rejects(client.remote.add({ a: 1, b: 2 }), { code: "BUSY" });
  assert.deepEqual(notes, [
    "outgoing call add 127.0.0.1",
    "incoming call add 127.0.0.1",
    "outgoing event tell 127.0.0.1",
    "incoming event tell 127.0.0.1",
    "outgoing call add 127.0.0.1",
    "incoming call add 127.0.0.1",
  ]);
});
