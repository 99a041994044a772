import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import diagnostics from "node:diagnostics_channel";
import { afterEach, test } from "node:test";
import { call, type CallTrace, contract, event, type Metadata, RemoteError, typeOnly } from "../../src/protocol.ts";
import { atEnd, connectSession, connectStateless, serveSessions, serveStateless } from "./opened.ts";

/* Calls are tracing channels of node:diagnostics_channel. */

const sums = contract("sums", "1.2.0", {
  server: {
    add: call(typeOnly<{ a: number; b: number }>(), typeOnly<number>(), { idempotent: true }),
    fail: call(undefined, undefined, { idempotent: true }),
    meta: call(undefined, typeOnly<Metadata>(), { idempotent: true }),
    tell: event<string>(),
  },
});
const handlers = {
  add: ({ a, b }: { a: number; b: number }): number => a + b,
  fail: (): void => {
    throw new RemoteError("NO");
  },
  meta: (_question: void, { metadata }: { metadata: Metadata }): Metadata => metadata,
  tell: (): void => undefined,
};

const PARTS = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
const unsubscribes: (() => void)[] = [];
afterEach(() => {
  for (const unsubscribe of unsubscribes.splice(0)) unsubscribe();
});

/** Notes what comes on the channels. */
function listen(note: (part: (typeof PARTS)[number], trace: CallTrace) => void): void {
  for (const part of PARTS) {
    const hear = (message: unknown): void => note(part, message as CallTrace);
    diagnostics.subscribe(`tracing:zocalo:call:${part}`, hear);
    unsubscribes.push(() => diagnostics.unsubscribe(`tracing:zocalo:call:${part}`, hear));
  }
}

for (const over of ["sessions", "datagrams"] as const) {
  /** The methods of a server. */
  const open = async () => {
    if (over === "datagrams") {
      const server = await serveStateless(sums, "udp://127.0.0.1:0", { handlers });
      const client = await connectStateless(sums, server.localAddress);
      return { server, remote: client.remote, id: undefined };
    }
    const server = await serveSessions(sums, "tcp://127.0.0.1:0", { handlers });
    const { remote, id } = await connectSession(sums, server.localAddress);
    return { server, remote, id };
  };

  test(`over ${over}, both sides of a call are traced, from its beginning to its end`, async () => {
    const { server, remote, id } = await open();
    const heard: string[] = [];
    const traces = new Set<CallTrace>();
    listen((part, trace) => {
      heard.push(`${trace.direction} ${part}`);
      traces.add(trace);
    });
    assert.equal(await remote.add({ a: 1, b: 2 }), 3);
    await remote.tell("events are none");
    const both = (direction: string) => heard.filter((line) => line.startsWith(direction));
    assert.deepEqual(
      both("outgoing"),
      ["start", "end", "asyncStart", "asyncEnd"].map((part) => `outgoing ${part}`),
    );
    assert.deepEqual(
      both("incoming"),
      ["start", "end", "asyncStart", "asyncEnd"].map((part) => `incoming ${part}`),
    );
    assert.equal(traces.size, 2);
    for (const { direction, contract: name, method, session, local, remote: peer, result } of traces) {
      assert.equal(name, "sums 1.2.0");
      assert.equal(method, "add");
      assert.equal(session, id);
      assert.equal(result, 3);
      assert.equal(direction === "incoming" ? local : peer, server.localAddress.toString());
    }
  });

  test(`over ${over}, a call that fails is on error`, async () => {
    const { remote } = await open();
    const heard: string[] = [];
    listen((part, trace) => {
      if (part === "error") heard.push(`${trace.direction} ${(trace.error as RemoteError).code}`);
    });
    await assert.rejects(remote.fail(), { code: "NO" });
    assert.deepEqual(heard, ["incoming NO", "outgoing NO"]);
  });

  test(`over ${over}, who listens may add metadata to what goes out`, async () => {
    const { remote } = await open();
    listen((part, trace) => {
      if (part === "start" && trace.direction === "outgoing") {
        (trace.metadata as Record<string, string>)["traceparent"] = "00-1-2-01";
      }
    });
    assert.deepEqual({ ...(await remote.meta()) }, { traceparent: "00-1-2-01" });
  });
}

test("a store that is bound to the channels is there in the handler", async () => {
  const storage = new AsyncLocalStorage<string>();
  const start = diagnostics.channel("tracing:zocalo:call:start") as diagnostics.Channel<string, CallTrace>;
  start.bindStore(storage, (trace) => `${trace.direction} ${trace.method}`);
  atEnd(() => start.unbindStore(storage));
  let seen: string | undefined;
  const server = await serveSessions(sums, "tcp://127.0.0.1:0", {
    handlers: {
      ...handlers,
      add: ({ a, b }) => {
        seen = storage.getStore();
        return a + b;
      },
    },
  });
  const session = await connectSession(sums, server.localAddress);
  await session.remote.add({ a: 1, b: 2 });
  assert.equal(seen, "incoming add");
});
