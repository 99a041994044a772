import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytes,
  call,
  contract,
  event,
  RemoteError,
  type ServeSessionsOptions,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { type Network, nodeNetwork, type ReceiveOptions, type ZocaloError } from "../../src/index.ts";
import { ManualClock } from "../../src/testing.ts";
import { gate } from "../fixtures/gate.ts";
import { atEnd, connectSession, serveSessions } from "./opened.ts";

const files = contract("files", "1.0.0", {
  server: {
    count: stream({ request: typeOnly<{ to: number }>(), sends: typeOnly<number>() }),
    upload: stream({ receives: bytes }),
    echo: stream({ sends: typeOnly<string>(), receives: typeOnly<string>() }),
    broken: stream({ sends: typeOnly<number>() }),
    endless: stream({ sends: bytes }),
    picky: stream({ request: typeOnly<"throws" | "returns">(), receives: typeOnly<number>() }),
  },
  client: { stored: event<number>(), told: event<string>() },
});

type Options = ServeSessionsOptions<typeof files.server, typeof files.client, Record<string, unknown>>;

const handlers: Options["handlers"] = {
  count: async function* ({ to }) {
    for (let next = 1; next <= to; next += 1) yield next;
  },
  async upload(_input, upload, { session }) {
    let size = 0;
    for await (const piece of upload) size += piece.length;
    await session.remote.stored(size);
  },
  async echo(_input, both) {
    for await (const text of both) await both.send(text.toUpperCase());
  },
  broken: async function* () {
    yield 1;
    yield 2;
    throw new RemoteError("DISK_FULL");
  },
  async picky(way, items) {
    for await (const item of items) {
      if (item > 0 && way === "throws") throw new RemoteError("DISK_FULL", "no room for it", { data: { item } });
      if (item > 0) break;
    }
  },
  async endless(_input, both, { signal, session }) {
    signal.addEventListener("abort", () => void session.remote.told("stopped"));
    while (!signal.aborted) await both.send(new Uint8Array(10_000));
  },
};

async function pairOf(
  told: { readonly stored?: (size: number) => void; readonly told?: (text: string) => void } = {},
  network: Network = nodeNetwork,
) {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const server = await serveSessions(files, "tcp://127.0.0.1:0", { handlers, onError });
  const session = await connectSession(files, server.localAddress, {
    handlers: { stored: told.stored ?? (() => undefined), told: told.told ?? (() => undefined) },
    limits: { streamWindowBytes: 50_000 },
    network,
    onError,
  });
  atEnd(async () => {
    await session.close({ timeoutMs: 0 });
    await server.close({ timeoutMs: 0 });
    assert.deepEqual(errors, []);
  });
  return { server, session };
}

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("a stream that the server sends: the items of a generator, in order", async () => {
  const { session } = await pairOf();
  assert.deepEqual(await all(session.remote.count({ to: 3 })), [1, 2, 3]);
  const many = await all(session.remote.count({ to: 20_000 }));
  assert.equal(many.length, 20_000);
  assert.ok(many.every((item, index) => item === index + 1));
});

test("a stream that the client sends, larger than its window", async () => {
  const { open: tell, opened: stored } = gate<number>();
  const { session } = await pairOf({ stored: tell });
  const upload = session.remote.upload();
  for (let count = 0; count < 100; count += 1) await upload.send(new Uint8Array(10_000));
  upload.end();
  assert.equal(await stored, 1_000_000);
  await assert.rejects(upload.send(new Uint8Array(1)), { code: "CLOSED" });
});

test("a stream in both directions", async () => {
  const { session } = await pairOf();
  const echo = session.remote.echo();
  const heard = all(echo);
  for (const text of ["a", "b", "c"]) await echo.send(text);
  echo.end();
  assert.deepEqual(await heard, ["A", "B", "C"]);
});

test("a stream that the client offers", async () => {
  const sensors = contract("sensors", "1.0.0", {
    server: { sync: call() },
    client: {
      measure: stream({ request: typeOnly<number>(), sends: typeOnly<number>(), receives: typeOnly<number>() }),
    },
  });
  const server = await serveSessions(sensors, "tcp://127.0.0.1:0", { handlers: { sync: () => undefined } });
  const session = await connectSession(sensors, server.localAddress, {
    handlers: {
      async *measure(factor, items) {
        for await (const item of items) yield item * factor;
      },
    },
  });
  const [served] = [...server.sessions.values()];
  const measured = served?.remote.measure(10);
  assert.ok(measured !== undefined);
  for (const item of [1, 2]) await measured.send(item);
  measured.end();
  assert.deepEqual(await all(measured), [10, 20]);
  await session.remote.sync();
  assert.equal(session.stats.pending, 0);
});

test("a stream whose handler fails: the items before the error come first", async () => {
  const { session } = await pairOf();
  const found: number[] = [];
  await assert.rejects(
    async () => {
      for await (const item of session.remote.broken()) found.push(item);
    },
    (error) => error instanceof RemoteError && error.code === "DISK_FULL",
  );
  assert.deepEqual(found, [1, 2]);
});

test("a handler that throws in its loop over the items fails the stream with its error; one that leaves it cancels", async () => {
  const { session, server } = await pairOf();
  for (const [way, expected] of [
    ["throws", { name: "RemoteError", code: "DISK_FULL", message: "no room for it", data: { item: 1 } }],
    ["returns", { code: "CLOSED", detail: "the other side has cancelled the stream" }],
  ] as const) {
    const items = session.remote.picky(way);
    await assert.rejects(async () => {
      await items.send(0);
      await items.send(1);
      // It is over: the rest finds that out.
      for (;;) await items.send(2);
    }, expected);
    assert.equal(items.signal.aborted, true);
  }
  assert.equal(session.stats.pending, 0);
  assert.equal([...server.sessions.values()][0]?.stats.pending, 0);
});

test("leaving the loop cancels the stream, and its handler is told", async () => {
  const { open: tell, opened: told } = gate<string>();
  const { session, server } = await pairOf({ told: tell });
  for await (const piece of session.remote.endless()) {
    assert.equal(piece.length, 10_000);
    break;
  }
  assert.equal(await told, "stopped");
  assert.equal([...server.sessions.values()][0]?.stats.pending, 0);
});

test("a stream ends by its time-out and by its signal, and its handler is told", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const told: string[] = [];
  const { session, server } = await pairOf({ told: (text) => void told.push(text) }, { ...nodeNetwork, clock });
  const reading = assert.rejects(all(session.remote.endless(undefined, { timeoutMs: 1000 })), {
    code: "TIMEOUT",
    outcome: "unknown",
    remote: String(server.localAddress),
  });
  await all(session.remote.count({ to: 1 }, { timeoutMs: 1000 }));
  await clock.advance(1000);
  await reading;
  const controller = new AbortController();
  const abandoned = assert.rejects(all(session.remote.endless(undefined, { signal: controller.signal })), {
    message: "enough",
  });
  await all(session.remote.count({ to: 1 }));
  controller.abort(new Error("enough"));
  await abandoned;
  while (told.length < 2) await all(session.remote.count({ to: 1 }));
  assert.equal(session.stats.pending, 0);
});

test("a loop over the items ends by until, its signal or its time; the stream goes on, and no item is lost", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const { session } = await pairOf({}, { ...nodeNetwork, clock });
  const echo = session.remote.echo();
  const taken: string[] = [];
  const take = async (options: ReceiveOptions): Promise<void> => {
    for await (const item of echo.messages(options)) taken.push(item);
  };
  const ways: readonly ((stop: AbortController) => ReceiveOptions)[] = [
    ({ signal }) => ({ until: signal }),
    ({ signal }) => ({ signal }),
    () => ({ timeoutMs: 1000 }),
  ];
  for (const [index, way] of ways.entries()) {
    const stop = new AbortController();
    const done = take(way(stop)).then(
      () => "done",
      (error: Error) => (error as ZocaloError).code ?? error.message,
    );
    await echo.send(`item ${index}`);
    while (taken.length <= index) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error("enough"));
    await clock.advance(1000);
    assert.equal(await done, ["done", "enough", "TIMEOUT"][index]);
  }
  const ended = AbortSignal.abort(new Error("before"));
  await take({ until: ended });
  await assert.rejects(take({ signal: ended }), /before/);
  await assert.rejects(take({ timeoutMs: -1 }), { code: "OPTION_INVALID", op: "echo" });
  await echo.send("last");
  echo.end();
  assert.deepEqual([...taken, ...(await all(echo))], ["ITEM 0", "ITEM 1", "ITEM 2", "LAST"]);
});

test("a stream that nobody reads does not hold up another one", async () => {
  const { session } = await pairOf();
  const unread = session.remote.endless();
  assert.deepEqual(await all(session.remote.count({ to: 1000 })).then((items) => items.length), 1000);
  unread.abort();
  assert.deepEqual(await all(unread), []);
});

test("a stream ends with its session, and says so", async () => {
  const { session, server } = await pairOf();
  const reading = all(session.remote.endless());
  await all(session.remote.count({ to: 1 }));
  const outcome = assert.rejects(reading, { code: "CLOSED", op: "endless" });
  await [...server.sessions.values()][0]?.close({ timeoutMs: 0, message: "enough" });
  await outcome;
});

test("a stream that has ended before its handler could start is handled all the same", async () => {
  const busy = gate();
  const handled = gate<readonly string[]>();
  const letters = contract("letters", "1.0.0", {
    server: { hold: event(), post: stream({ receives: typeOnly<string>() }), sync: call() },
  });
  const server = await serveSessions(letters, "tcp://127.0.0.1:0", {
    handlers: {
      hold: () => busy.opened,
      post: async (_input, items) => handled.open(await all(items)),
      sync: () => undefined,
    },
  });
  const session = await connectSession(letters, server.localAddress);
  // The first takes the lane, the second waits for it: what comes later cannot start.
  for (let count = 0; count < 2; count += 1) await session.remote.hold();
  const post = session.remote.post();
  for (const text of ["a", "b"]) await post.send(text);
  post.end();
  while (session.stats.unacknowledged > 0) await new Promise((resolve) => setImmediate(resolve));
  busy.open();
  assert.deepEqual(await handled.opened, ["a", "b"]);
  await session.remote.sync();
});
