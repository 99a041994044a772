/**
 * Arguments and options of the calls of what is open: with any of them a call answers, or is a typed error, and the other end and
 * the next call do not notice. Nothing ends the process, and nothing is rejected that nobody awaits.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lines } from "../../src/framing.ts";
import {
  bind,
  connect,
  type DatagramSocket,
  listen,
  pair,
  relay,
  serve,
  type StreamSocket,
  ZocaloError,
} from "../../src/index.ts";
import { call, contract, connectSession, RemoteError, serveSessions, stream, typeOnly } from "../../src/protocol.ts";
import { anything } from "./anything.ts";

type Arguments = readonly [never, never, never];

/** Options of an operation that are nearly right. */
const operation = fc.record(
  {
    signal: anything,
    timeoutMs: anything,
    maxBytes: anything,
    lingerMs: anything,
    lingerBytes: anything,
    role: anything,
  },
  { requiredKeys: [] },
);
const given = fc.tuple(fc.oneof(anything, operation), fc.oneof(anything, operation), fc.oneof(anything, operation));

/** Waits for a call; when it waits for something itself, `end` makes it come. What it rejects with must be known. */
async function settles(name: string, result: () => unknown, end: () => unknown): Promise<void> {
  const known = (error: unknown): void => {
    // A signal's reason is told as it is.
    if (error === "enough" || error instanceof RemoteError) return;
    assert.ok(error instanceof ZocaloError, `${name}: ${String(error)}`);
  };
  let answer: unknown;
  try {
    answer = result();
  } catch (error) {
    known(error);
  }
  const settled = Promise.resolve(answer).catch(known);
  await new Promise((resolve) => setImmediate(resolve));
  await end();
  await settled;
}

const streamCalls: Readonly<Record<string, (left: StreamSocket, right: StreamSocket, args: Arguments) => unknown>> = {
  read: (left, _right, [a]) => left.read(a),
  readInto: (left, _right, [a, b]) => left.readInto(a, b),
  readExactly: (left, _right, [a, b]) => left.readExactly(a, b),
  readUntil: (left, _right, [a, b]) => left.readUntil(a, b),
  write: (left, _right, [a, b]) => left.write(a, b),
  end: (left, _right, [a]) => left.end(a),
  close: (left, _right, [a]) => left.close(a),
  abort: (left, _right, [a]) => left.abort(a),
  setNoDelay: (left, _right, [a]) => left.tcp.setNoDelay(a),
  setKeepAlive: (left, _right, [a, b]) => left.tcp.setKeepAlive(a, b),
  startTls: (left, _right, [a]) => left.startTls(a),
  framed: (left, _right, [a]) => void left.framed(a),
  relay: (left, right, [a]) => relay(left, right, a),
  "framed.send": (left, _right, [a, b]) => left.framed(lines()).send(a, b),
  "framed.sendMany": (left, _right, [a, b]) => left.framed(lines()).sendMany(a, b),
  "framed.flush": (left, _right, [a]) => left.framed(lines()).flush(a),
  "framed.receive": (left, _right, [a]) => left.framed(lines()).receive(a),
  "framed.close": (left, _right, [a]) => left.framed(lines()).close(a),
};

for (const [name, make] of Object.entries(streamCalls)) {
  test(`a connection: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(given, async (args) => {
        const [left, right] = pair();
        await right.write("hola\nadiós\n");
        const ends = (): void => {
          left.abort();
          right.abort();
        };
        await settles(name, () => make(left, right, args as unknown as Arguments), ends);
      }),
      { numRuns: 150 },
    );
  });
}

/** An address that is none: a name would be looked up. */
const noName = anything.filter((value) => typeof value !== "string" || value === "");

const datagramSocketCalls: Readonly<Record<string, (box: DatagramSocket, args: Arguments) => unknown>> = {
  send: (box, [a, b, c]) => box.send(a, b, c),
  "send to itself": (box, [a, b]) => box.send(a, box.localAddress, b),
  sendMany: (box, [a, b]) => box.sendMany(a, b),
  "sendMany to itself": (box, [a, b]) => box.sendMany([{ data: a, to: box.localAddress }], b),
  receive: (box, [a]) => box.receive(a),
  receiveMany: (box, [a, b]) => box.receiveMany(a, b),
  joinGroup: (box, [a, b]) => box.udp.joinGroup(a, b),
  "joinGroup of one": (box, [a]) => box.udp.joinGroup("239.1.2.3", a),
  leaveGroup: (box, [a, b]) => box.udp.leaveGroup(a, b),
  setBroadcast: (box, [a]) => box.udp.setBroadcast(a),
  setTtl: (box, [a]) => box.udp.setTtl(a),
  setMulticastTtl: (box, [a]) => box.udp.setMulticastTtl(a),
  setMulticastLoopback: (box, [a]) => box.udp.setMulticastLoopback(a),
  setMulticastInterface: (box, [a]) => box.udp.setMulticastInterface(a),
  framed: (box, [a]) => void box.framed(a),
  "framed.send": (box, [a, b]) => box.framed(lines()).send(a, box.localAddress, b),
  "framed.sendMany": (box, [a, b]) => box.framed(lines()).sendMany(a, box.localAddress, b),
  "framed.receive": (box, [a]) => box.framed(lines()).receive(a),
  close: (box, [a]) => box.close(a),
};

for (const [name, make] of Object.entries(datagramSocketCalls)) {
  test(`a datagram socket: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(given, noName, async ([a, b, c], to) => {
        const box = await bind("udp://127.0.0.1:0");
        const args = name === "send" ? [a, to, c] : [a, b, c];
        await settles(
          name,
          () => make(box, args as unknown as Arguments),
          () => box.close(),
        );
      }),
      { numRuns: 100 },
    );
  });
}

test("a listener and servers: accept, close, setTls", async () => {
  const room = contract("room", "1.0.0", { server: { who: call() } });
  await fc.assert(
    fc.asyncProperty(given, fc.nat(5), async ([a], which) => {
      const listener = await listen("tcp://127.0.0.1:0");
      const server = await serve("tcp://127.0.0.1:0", () => undefined);
      const sessions = await serveSessions(room, "tcp://127.0.0.1:0", { handlers: { who: () => undefined } });
      const calls: readonly (() => unknown)[] = [
        () => listener.accept(a as never),
        () => server.close(a as never),
        () => sessions.close(a as never),
        () => listener.setTls(a as never),
        () => server.setTls(a as never),
        () => sessions.setTls(a as never),
      ];
      const ends = async (): Promise<unknown> =>
        await Promise.all([listener.close(), server.close({ timeoutMs: 0 }), sessions.close({ timeoutMs: 0 })]);
      await settles(`call ${which}`, calls[which] as () => unknown, ends);
    }),
    { numRuns: 150 },
  );
});

test("a session: its methods, close, abort", async () => {
  const room = contract("room", "1.0.0", {
    server: {
      ask: call<unknown, unknown>(),
      list: stream({ request: typeOnly<unknown>(), sends: typeOnly<unknown>() }),
    },
  });
  const handlers = { ask: (question: unknown) => question, list: (question: unknown) => [question] };
  await using server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers });
  await fc.assert(
    fc.asyncProperty(given, fc.nat(4), async ([a, b], which) => {
      const session = await connectSession(room, server.localAddress, { reconnect: false });
      const calls: readonly (() => unknown)[] = [
        () => session.remote.ask(a, b as never),
        async () => {
          for await (const item of session.remote.list(a, b as never)) return item;
          return undefined;
        },
        () => session.close({ timeoutMs: 0, message: a as never }),
        () => session.close(a as never),
        () => session.abort(a),
      ];
      await settles(`call ${which}`, calls[which] as () => unknown, () => session.abort());
    }),
    { numRuns: 200 },
  );
  const session = await connectSession(room, server.localAddress);
  assert.equal(await session.remote.ask(3), 3);
  session.abort();
});

test("connect, with an address that is none", async () => {
  await fc.assert(
    fc.asyncProperty(noName, async (address) => {
      await assert.rejects(connect(address as never), (error) => error instanceof ZocaloError);
      await assert.rejects(listen(address as never), (error) => error instanceof ZocaloError);
      await assert.rejects(bind(address as never), (error) => error instanceof ZocaloError);
    }),
    { numRuns: 200 },
  );
});
