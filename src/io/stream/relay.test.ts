import assert from "node:assert/strict";
import { test } from "node:test";
import { gate } from "../../../test/fixtures/gate.ts";
import {
  connect,
  type ErrorCode,
  nodeNetwork,
  pair,
  relay,
  type RelayReport,
  serve,
  type StreamSocket,
  UsageError,
} from "../../index.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { assertError, expectError } from "../../testing/expect-error.ts";
import { fillUp, MOST_READ_AHEAD_BYTES, PatternCheck, sendPattern, textToEnd } from "../../testing/stream/check.ts";

/** Two pairs whose inner ends are joined. */
function joined(options = {}) {
  const [left, innerLeft] = pair();
  const [innerRight, right] = pair();
  const received = new PatternCheck();
  return { left, right, innerLeft, innerRight, received, report: relay(innerLeft, innerRight, options) };
}

async function receivePattern(socket: StreamSocket): Promise<number> {
  const received = new PatternCheck();
  for await (const piece of socket) received.next(piece);
  return received.bytes;
}

test("carries bytes both ways and reports how many", async () => {
  const { left, right, report } = joined();
  const both = [left, right].map((socket) => sendPattern(socket, 3_000_000, 100_000).then(() => socket.end()));
  assert.deepEqual(await Promise.all([receivePattern(left), receivePattern(right)]), [3_000_000, 3_000_000]);
  await Promise.all(both);
  assert.deepEqual(await report, { bytesAToB: 3_000_000, bytesBToA: 3_000_000 });
  assert.deepEqual([(await left.closed).how, (await right.closed).how], ["ended", "ended"]);
});

// The rules are those of docs/semantics.md.
test("rule A11: an end of one direction is passed on as an end, and the other goes on", async () => {
  const { left, right, report } = joined();
  await left.write("question");
  await left.end();
  assert.equal(await textToEnd(right), "question");
  await right.write("a long answer");
  assert.equal(String(await left.readExactly(13)), "a long answer");
  await right.end();
  assert.equal(await left.read(), null);
  assert.deepEqual(await report, { bytesAToB: 8, bytesBToA: 13 });
});

test("rule A11: a reset of one side is passed on as a reset", async () => {
  const { left, right, report } = joined();
  await left.write("before");
  await right.readExactly(6);
  left.abort();
  await expectError(right.read(), { code: "CONNECTION_RESET" });
  const { error, bytesAToB } = await report;
  assertError(error, { code: "CONNECTION_RESET" });
  assert.equal(bytesAToB, 6);
});

test("a slow reader slows its writer", async () => {
  const { left, right, innerLeft, innerRight, report } = joined();
  const accepted = await fillUp(left);
  assert.ok(innerLeft.bytesReceived - innerRight.bytesSent <= 2 * MOST_READ_AHEAD_BYTES);
  const ended = left.end();
  const received = new PatternCheck();
  for await (const piece of right) received.next(piece);
  assert.equal(received.bytes, accepted);
  await Promise.all([ended, right.end()]);
  assert.equal((await report).bytesAToB, accepted);
});

test("the signal aborts both connections, also when it is aborted already", async () => {
  for (const early of [true, false]) {
    const controller = new AbortController();
    const reason = new Error("enough");
    if (early) controller.abort(reason);
    const { left, right, report } = joined({ signal: controller.signal });
    controller.abort(reason);
    await expectError(left.read(), { code: "CONNECTION_RESET" });
    await expectError(right.read(), { code: "CONNECTION_RESET" });
    const { error } = await report;
    assert.equal(error, reason);
  }
});

test("a proxy between connections of the kernel", async () => {
  await using target = await serve("tcp://127.0.0.1:0", async (peer) => {
    for await (const piece of peer) await peer.write(String(piece).toUpperCase());
  });
  await using proxy = await serve("tcp://127.0.0.1:0", async (peer) => {
    await relay(peer, await connect(target.localAddress));
  });
  await using called = await connect(proxy.localAddress);
  await called.write("hola");
  await called.end();
  assert.equal(await textToEnd(called), "HOLA");
});

test("a connection whose reader is taken is no longer free to be joined", async () => {
  const [left, right] = pair();
  const [other, far] = pair();
  const reading = left.read();
  // Reads queue: the relay's come behind the one that waits.
  const report = relay(left, other);
  await right.write("1");
  assert.equal(String(await reading), "1");
  await right.write("2");
  assert.equal(String(await far.read()), "2");
  right.abort();
  assert.ok((await report).error instanceof Error && !((await report).error instanceof UsageError));
});

/** Ways in which a connection is lost whose bytes wait for the other one. */
const losses: Readonly<Record<string, { readonly code: ErrorCode; readonly lose: (client: StreamSocket) => void }>> = {
  "a reset": { code: "CONNECTION_RESET", lose: (client) => client.abort() },
  "a reset behind an end": {
    code: "CONNECTION_RESET",
    lose: (client) => {
      client.end().catch(() => undefined);
      client.abort();
    },
  },
  idleMs: { code: "IDLE_TIMEOUT", lose: () => undefined },
};

for (const [name, { code, lose }] of Object.entries(losses)) {
  // The kernel tells nobody of a reset who reads nothing, and another object is not asked.
  for (const wrap of code === "IDLE_TIMEOUT" ? [false, true] : [false]) {
    test(`${name} is passed on while the bytes before it wait for a reader${wrap ? ", between other objects" : ""}`, async () => {
      const clock = new ManualClock(nodeNetwork.clock);
      const upstream = gate<StreamSocket>();
      const over = gate<RelayReport>();
      await using target = await serve("tcp://127.0.0.1:0", async (peer) => {
        upstream.open(peer);
        await peer.closed;
      });
      await using proxy = await serve(
        "tcp://127.0.0.1:0",
        async (peer) => {
          const onward = await connect(target.localAddress);
          over.open(await relay(wrap ? wrapped(peer) : peer, wrap ? wrapped(onward) : onward));
        },
        { timeouts: { idleMs: code === "IDLE_TIMEOUT" ? 1000 : Infinity }, network: { ...nodeNetwork, clock } },
      );
      const client = await connect(proxy.localAddress);
      await fillUp(client);
      const silent = await upstream.opened;
      lose(client);
      const reports: RelayReport[] = [];
      void over.opened.then((told) => reports.push(told));
      // Far less than the 60 seconds of timeouts.writeStallMs.
      while (reports.length === 0 && clock.now() < 5000) await clock.advance(100);
      assertError(reports[0]?.error, { code });
      await expectError(receivePattern(silent), { code: "CONNECTION_RESET" });
      await client.closed;
    });
  }
}

test("a relay that is over watches nothing any more", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const carried = gate<RelayReport>();
  await using target = await serve("tcp://127.0.0.1:0", async (peer) => void (await textToEnd(peer)));
  await using proxy = await serve(
    "tcp://127.0.0.1:0",
    async (peer) => carried.open(await relay(peer, await connect(target.localAddress))),
    { timeouts: { idleMs: Infinity, writeStallMs: Infinity }, network: { ...nodeNetwork, clock } },
  );
  const client = await connect(proxy.localAddress);
  await client.end();
  assert.equal(await client.read(), null);
  assert.equal((await carried.opened).error, undefined);
  await clock.advance(2000);
  assert.equal(clock.pending, 0);
});

/** The same connection as an object of somebody else, as a program makes it that counts or logs. */
function wrapped(socket: StreamSocket): StreamSocket {
  return new Proxy(socket, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: readonly unknown[]): unknown => Reflect.apply(value, target, given);
    },
    getPrototypeOf: () => Object.prototype,
  });
}

test("objects that stand for a connection are joined too, with what they are given", async () => {
  const [left, innerLeft] = pair();
  const [innerRight, right] = pair();
  const report = relay(wrapped(innerLeft), wrapped(innerRight));
  const both = [left, right].map((socket) => sendPattern(socket, 300_000, 100_000).then(() => socket.end()));
  assert.deepEqual(await Promise.all([receivePattern(left), receivePattern(right)]), [300_000, 300_000]);
  await Promise.all(both);
  assert.deepEqual(await report, { bytesAToB: 300_000, bytesBToA: 300_000 });
});

test("what a slow side has not taken stays as it was: pieces are not written into the memory of others", async () => {
  const slow = joined();
  const fast = joined();
  const sending = sendPattern(slow.left, 2_000_000, 65_536).then(() => slow.left.end());
  // Meanwhile another relay uses the same blocks.
  for (let round = 0; round < 20; round += 1) {
    await fast.left.write(Buffer.alloc(65_536, 0xff));
    await fast.right.readExactly(65_536);
    const piece = await slow.right.read({ maxBytes: 10_000 });
    assert.ok(piece !== null && !piece.includes(Buffer.alloc(16, 0xff)));
    slow.received.next(piece);
  }
  for await (const piece of slow.right) slow.received.next(piece);
  await sending;
  assert.equal(slow.received.bytes, 2_000_000);
  fast.left.abort();
});
