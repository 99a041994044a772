/** Wrong arguments from programs without types: an error of the call, never one in the middle of an event. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bind,
  connect,
  pair,
  type PeerHandler,
  serve,
  serveDatagrams,
  UsageError,
  ZocaloError,
} from "../../src/index.ts";
import {
  call,
  contract,
  event,
  connectSession,
  serveSessions,
  serveStateless,
  connectStateless,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { gate } from "../fixtures/gate.ts";

/** What a program without types would pass. */
function untyped<T>(value: unknown): T {
  return value as T;
}

const invalid = { code: "OPTION_INVALID" };

test("a signal that is none, and a time-out that is no number, are refused by the call", async () => {
  const [left, right] = pair();
  for (const signal of [null, {}, "soon", 5]) {
    await assert.rejects(right.read({ signal: untyped(signal) }), invalid);
    await assert.rejects(left.write("x", { signal: untyped(signal) }), invalid);
    await assert.rejects(connect("tcp://127.0.0.1:1", { signal: untyped(signal) }), invalid);
  }
  for (const timeoutMs of [null, "5", {}, true]) {
    await assert.rejects(right.read({ timeoutMs: untyped(timeoutMs) }), invalid);
  }
  left.abort();
});

test("readInto refuses what is no bytes, and the bytes stay", async () => {
  const [left, right] = pair();
  for (const target of [null, "text", 5, new ArrayBuffer(4)]) {
    await assert.rejects(right.readInto(untyped(target)), invalid);
    const first = right.readExactly(1);
    const second = right.readInto(untyped(target));
    await left.write("ab");
    assert.equal((await first).toString(), "a");
    await assert.rejects(second, invalid);
    assert.equal((await right.readExactly(1)).toString(), "b");
  }
  left.abort();
});

test("a server without a handler is refused before it listens", async () => {
  await assert.rejects(serve("tcp://127.0.0.1:0", untyped(undefined)), invalid);
});

test("an onError that is an async function and rejects is no unhandled rejection", async () => {
  const told: unknown[] = [];
  const failing: PeerHandler = () => {
    throw new Error("handler");
  };
  await using server = await serve("tcp://127.0.0.1:0", failing, {
    onError: untyped(async (error: unknown) => {
      told.push(error);
      await Promise.resolve();
      throw new Error("onError");
    }),
  });
  // The reset may be there before connect has seen that it succeeded.
  const calling = connect(server.localAddress).then((socket) => socket.read());
  await assert.rejects(calling, ZocaloError);
  assert.equal(told.length, 1);
});

test("the same for datagrams", async () => {
  await assert.rejects(serveDatagrams("udp://127.0.0.1:0", untyped(undefined)), invalid);
  const { open: told, opened: once } = gate();
  const failing = (): never => {
    throw new Error("handler");
  };
  await using server = await serveDatagrams("udp://127.0.0.1:0", failing, {
    onError: untyped(async () => {
      told();
      await Promise.resolve();
      throw new Error("onError");
    }),
  });
  await using box = await bind("udp://127.0.0.1:0");
  await box.send("x", server.localAddress);
  await once;
});

test("the members of tcp, udp and interop work when they are taken off", async () => {
  await using server = await serve("tcp://127.0.0.1:0", async (peer) => void (await peer.read()));
  await using box = await bind("udp://127.0.0.1:0");
  const socket = await connect(server.localAddress);
  const { setNoDelay, setKeepAlive } = socket.tcp;
  const { setTtl, setBroadcast, bufferSizes } = box.udp;
  setNoDelay(false);
  setKeepAlive(true);
  setTtl(7);
  setBroadcast(true);
  assert.ok(bufferSizes().receiveBytes > 0);
  for (const { ref, unref } of [socket.interop, server.interop, box.interop]) {
    unref();
    ref();
  }
  const { toNodeStream } = socket.interop;
  await new Promise((resolve) => toNodeStream().end(resolve));
  socket.abort();
});

test("a method of a session that was taken off it says how to call it; one of its remote, or of a client's, works", async () => {
  const idempotent = { idempotent: true } as const;
  const ask = call(typeOnly<number>(), typeOnly<number>(), idempotent);
  const room = contract("room", "1.0.0", {
    server: { ask, say: event<string>(), list: stream({ sends: ask.request }) },
  });
  const box = contract("box", "1.0.0", { server: { ask, say: room.server.say } });
  const handlers = { ask: (number: number) => number, say: () => undefined };
  await using server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers: { ...handlers, list: () => [] } });
  await using session = await connectSession(room, server.localAddress);
  await using datagramSocket = await serveStateless(box, "udp://127.0.0.1:0", { handlers });
  await using client = await connectStateless(box, datagramSocket.localAddress);
  for (const name of ["close", "abort"]) {
    const taken = (session as unknown as Readonly<Record<string, () => unknown>>)[name];
    // Without an object, and on another one.
    for (const misuse of [() => taken?.(), () => ({ taken }).taken?.()]) {
      // Those that answer a promise reject.
      await assert.rejects(
        async () => void (await misuse()),
        (error) => {
          assert.ok(error instanceof UsageError, String(error));
          assert.deepEqual([error.code, error.op], ["OPTION_INVALID", name]);
          assert.ok(error.message.includes(`as session.${name}(...)`), error.message);
          return true;
        },
      );
    }
  }
  for (const { ask: taken } of [session.remote, client.remote]) assert.equal(await taken(3), 3);
  assert.equal(await session.remote.ask(3), 3);
});

test("wrong arguments of contracts, sessions and stateless services are told by the call", async () => {
  const idempotent = { idempotent: true } as const;
  const room = contract("room", "1.0.0", { server: { ask: call(), list: stream({ sends: typeOnly<number>() }) } });
  const box = contract("box", "1.0.0", { server: { ask: call(undefined, undefined, idempotent) } });
  const handlers = { ask: () => undefined };
  const session = { handlers: { ...handlers, list: () => [] } };
  const tcp = "tcp://127.0.0.1:0";
  const udp = "udp://127.0.0.1:0";
  const rows: readonly (readonly [what: string, misuse: () => unknown, op: string, code: string, detail: RegExp])[] = [
    [
      "serveSessions",
      () => serveSessions(room, tcp, untyped<never>(undefined)),
      "serveSessions",
      "OPTION_INVALID",
      /handlers must have/,
    ],
    [
      "connectSession",
      () => connectSession(room, tcp, untyped<never>(null)),
      "connectSession",
      "OPTION_INVALID",
      /options must be/,
    ],
    [
      "serveStateless",
      () => serveStateless(box, udp, untyped<never>(undefined)),
      "serveStateless",
      "OPTION_INVALID",
      /handlers must have/,
    ],
    [
      "swapped",
      () => serveSessions(untyped<never>(tcp), untyped<never>(room), session),
      "serveSessions",
      "OPTION_INVALID",
      /second/,
    ],
    [
      "no contract",
      () => connectSession(untyped<never>({}), tcp, untyped<never>({})),
      "connectSession",
      "OPTION_INVALID",
      /the first argument/,
    ],
    [
      "null",
      () => serveStateless(untyped<never>(null), udp, { handlers }),
      "serveStateless",
      "OPTION_INVALID",
      /the first arg/,
    ],
    [
      "none",
      () => connectStateless(untyped<never>(undefined), udp),
      "connectStateless",
      "OPTION_INVALID",
      /the first argument/,
    ],
    ["udp", () => serveSessions(room, udp, session), "serveSessions", "ADDRESS_INVALID", /use serveStateless/],
    [
      "udp",
      () => connectSession(room, "udp://127.0.0.1:1"),
      "connectSession",
      "ADDRESS_INVALID",
      /use connectStateless/,
    ],
    [
      "tcp",
      () => serveStateless(box, tcp, { handlers }),
      "serveStateless",
      "ADDRESS_INVALID",
      /over tcp: use serveSess/,
    ],
    [
      "tls",
      () => connectStateless(box, "tls://127.0.0.1:1"),
      "connectStateless",
      "ADDRESS_INVALID",
      /over tls: use connectS/,
    ],
    [
      "no sides",
      () => contract("room", "1.0.0", untyped<never>(undefined)),
      "contract",
      "OPTION_INVALID",
      /needs its sides/,
    ],
    [
      "no directions",
      () => stream(untyped<never>(undefined)),
      "stream",
      "OPTION_INVALID",
      /needs `sends` or `receives`/,
    ],
  ];
  for (const [what, misuse, op, code, detail] of rows) {
    const error: unknown = await Promise.resolve()
      .then(misuse)
      .catch((reason: unknown) => reason);
    assert.ok(error instanceof UsageError, `${op} ${what}: ${String(error)}`);
    assert.deepEqual([error.op, error.code], [op, code], what);
    assert.match(error.detail, detail);
  }
  await using server = await serveSessions(room, tcp, session);
  await using other = await serveSessions(room, tcp, session);
  await using client = await connectSession(room, server.localAddress);
  await using elsewhere = await connectSession(room, other.localAddress);
  await elsewhere.remote.ask();
  for (const stranger of [{}, null, ...other.sessions.values()]) {
    assert.throws(() => server.group("x").join(untyped<never>(stranger)), { code: "OPTION_INVALID", op: "join" });
  }
  const items = client.remote.list();
  await assert.rejects(async () => await items.send(untyped<never>(1)), { code: "UNSUPPORTED", op: "list" });
});
