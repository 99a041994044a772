import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import fc from "fast-check";
import {
  decodeDatagram,
  encodeAnswer,
  encodeCall,
  encodeEvent,
  encodeRefusal,
  ERROR,
  RESULT,
  RETRY,
} from "../../core/stateless/datagram.ts";
import { bind, type DatagramSocket, nodeNetwork, type ZocaloError } from "../../index.ts";
import {
  bytes,
  call,
  contract,
  event,
  RemoteError,
  serveStateless,
  connectStateless,
  typeOnly,
} from "../../protocol.ts";
import { expectError } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";

/* Contracts over real datagrams, on the loopback interface. */

const idempotent = { idempotent: true } as const;
const telemetry = contract("telemetry", "1.0.0", {
  server: {
    measured: event(z.object({ celsius: z.number() })),
    add: call(z.object({ a: z.number(), b: z.number() }), z.number(), idempotent),
    fail: call(typeOnly<string>(), undefined, idempotent),
    dump: call(typeOnly<number>(), bytes, idempotent),
    wait: call(undefined, undefined, idempotent),
  },
});

async function scene(): Promise<{
  readonly server: Awaited<ReturnType<typeof serveStateless>>;
  readonly measured: number[];
  readonly errors: unknown[];
  readonly heard: (count: number) => Promise<void>;
}> {
  const measured: number[] = [];
  const errors: unknown[] = [];
  let tell = (): void => undefined;
  const server = await serveStateless(telemetry, "udp://127.0.0.1:0", {
    handlers: {
      measured({ celsius }, { from, remainingMs }) {
        assert.deepEqual([from.host, remainingMs], ["127.0.0.1", Number.POSITIVE_INFINITY]);
        measured.push(celsius);
        tell();
      },
      add: ({ a, b }, { remainingMs }) => {
        assert.ok(remainingMs <= 30_000);
        return a + b;
      },
      fail(text) {
        if (text === "known") throw new RemoteError("NO_ROOM", "no room", { data: { seats: 2 } });
        throw new Error(text);
      },
      dump: (size) => Buffer.alloc(size, 7),
      wait: (_input, { signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    },
    onError: (error, from) => {
      errors.push([error, from?.host]);
    },
  });
  const heard = async (count: number): Promise<void> => {
    while (measured.length < count) {
      await new Promise<void>((resolve) => {
        tell = resolve;
      });
    }
  };
  return { server, measured, errors, heard };
}

for (const codec of ["msgpack", "json"] as const) {
  test(`events and calls over UDP, codec ${codec}`, async () => {
    const { server, measured, heard } = await scene();
    await using client = await connectStateless(telemetry, server.localAddress, { codec });
    const sums = await Promise.all([1, 2, 3].map((a) => client.remote.add({ a, b: 10 })));
    assert.deepEqual(sums, [11, 12, 13]);
    await client.remote.measured({ celsius: 21.5 });
    await heard(1);
    assert.deepEqual(measured, [21.5]);
    assert.equal(client.remoteAddress.port, server.localAddress.port);
    assert.ok((client.stats.roundTripMs ?? -1) >= 0);
    assert.deepEqual([server.stats.events, server.stats.calls, server.stats.invalid], [1, 3, 0]);
    await server.close({ timeoutMs: 0 });
  });
}

test("a RemoteError arrives with code and data; anything else is INTERNAL and told to onError", async () => {
  const { server, errors } = await scene();
  await using client = await connectStateless(telemetry, server.localAddress);
  await assert.rejects(client.remote.fail("known"), (error) => {
    assert.ok(error instanceof RemoteError);
    assert.deepEqual([error.code, error.message, error.data], ["NO_ROOM", "no room", { seats: 2 }]);
    return true;
  });
  await assert.rejects(client.remote.fail("secret"), (error) => {
    assert.ok(error instanceof RemoteError);
    assert.deepEqual([error.code, error.message.includes("secret")], ["INTERNAL", false]);
    return true;
  });
  assert.equal(String(errors), "Error: secret,127.0.0.1");
  // @ts-expect-error -- The question is not what the schema says.
  await assert.rejects(client.remote.add({ a: 1 }), { name: "RemoteError", code: "FRAME_INVALID" });
  await server.close({ timeoutMs: 0 });
});

test("a long answer needs a proof of the address, once; larger than a datagram it is an error", async () => {
  const { server, errors } = await scene();
  await using client = await connectStateless(telemetry, server.localAddress);
  assert.equal((await client.remote.dump(1000)).length, 1000);
  assert.deepEqual([server.stats.retries, server.stats.calls, client.stats.retransmissions], [1, 2, 1]);
  assert.equal((await client.remote.dump(1000)).length, 1000);
  assert.deepEqual([server.stats.retries, server.stats.calls], [1, 3]);
  await assert.rejects(client.remote.dump(1200), { name: "RemoteError", code: "DATAGRAM_TOO_LARGE" });
  assert.match(String(errors), /DATAGRAM_TOO_LARGE: dump udp:.*1221 bytes, and 1200 is the limit/);
  await server.close({ timeoutMs: 0 });
});

test("rule B4: what is too large is refused before the kernel is asked", async () => {
  await using box = await bind("udp://127.0.0.1:0");
  const big = contract("big", "1.0.0", { server: { put: call(bytes, undefined, idempotent), tell: event(bytes) } });
  await using client = await connectStateless(big, box.localAddress);
  const expected = { code: "DATAGRAM_TOO_LARGE", outcome: "none", remote: box.localAddress.toString() } as const;
  await expectError(client.remote.put(Buffer.alloc(1141)), { ...expected, op: "put" });
  await expectError(client.remote.tell(Buffer.alloc(1186)), { ...expected, op: "tell" });
  await client.remote.tell(Buffer.alloc(1185));
  assert.equal((await box.receive()).data.length, 1200);
});

// The rules are those of docs/semantics.md.
test("rule D12: every datagram has the hash of its contract; another contract is refused with what the server offers", async () => {
  const { server } = await scene();
  const read = (name: string, version: string) =>
    contract(name, version, { server: { read: call(undefined, undefined, idempotent), note: event() } });
  await using newer = await connectStateless(read("telemetry", "2.0.0"), server.localAddress);
  const error = await expectError(newer.remote.read(), {
    code: "VERSION_UNSUPPORTED",
    side: "remote",
    outcome: "none",
  });
  assert.match(error.message, /the server offers "telemetry 1\.0\.0"/);
  await using other = await connectStateless(read("other", "1.0.0"), server.localAddress);
  await expectError(other.remote.read(), { code: "CONTRACT_UNKNOWN", side: "remote" });
  assert.equal(server.stats.refused, 2);
  await server.close({ timeoutMs: 0 });
});

test("a call that nobody answers ends with TIMEOUT; its outcome is unknown", async () => {
  const { server } = await scene();
  await using client = await connectStateless(telemetry, server.localAddress);
  await expectError(client.remote.wait(undefined, { timeoutMs: 50 }), {
    code: "TIMEOUT",
    op: "wait",
    outcome: "unknown",
  });
  await expectError(client.remote.wait(undefined, { timeoutMs: 0 }), { code: "TIMEOUT", op: "wait", outcome: "none" });
  const reason = new Error("enough");
  const controller = new AbortController();
  const waiting = client.remote.wait(undefined, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  const pending = client.remote.wait();
  await client.close({ timeoutMs: 0 });
  await expectError(pending, { code: "CLOSED", op: "wait" });
  await expectError(client.remote.wait(), { code: "CLOSED", op: "wait", outcome: "none" });
  await server.close({ timeoutMs: 0 });
});

test("a server that starts later, or again, answers the calls that wait", async () => {
  const first = await scene();
  const address = first.server.localAddress;
  const times = { initialDelayMs: 20, minDelayMs: 20 };
  await using client = await connectStateless(telemetry, address, { retransmission: times });
  assert.equal(await client.remote.add({ a: 1, b: 1 }), 2);
  await first.server.close({ timeoutMs: 0 });
  const sum = client.remote.add({ a: 2, b: 2 }, { timeoutMs: 10_000 });
  await new Promise((resolve) => setImmediate(resolve));
  await using second = await serveStateless(telemetry, address, {
    handlers: { add: ({ a, b }) => a + b, measured() {}, fail() {}, dump: () => Buffer.alloc(0), wait() {} },
  });
  assert.equal(await sum, 4);
  assert.ok(second.stats.calls > 0);
});

test("noise, answers and events are never answered; a call behind them is", async () => {
  const { server } = await scene();
  await using box = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
  const head = { codec: 2, hash: BigInt(`0x${telemetry.hash}`) };
  const body = { bytes: Buffer.from('{"a":1,"b":2}'), start: 0, end: 13 };
  const question = { id: 7n, method: 0, remainingMs: 1000, cookie: Buffer.alloc(0) };
  const asked = encodeCall(head, question, body);
  const noise = fc.sample(fc.uint8Array({ maxLength: 100 }), 40);
  const answers = ([RESULT, ERROR, RETRY] as const).map((type) => encodeAnswer(type, head, 7n, body));
  const cut = Array.from({ length: 28 }, (_, length) => asked.subarray(0, length));
  const silent = [...noise, ...answers, encodeRefusal(head, 7n, 1, "x 1.0.0", 100), ...cut];
  for (const datagram of silent) await box.send(datagram);
  // Of another contract, and of a method that is none.
  await box.send(encodeEvent({ ...head, hash: 1n }, 0, body));
  await box.send(encodeEvent(head, 0, body));
  // For which nobody waits any more.
  await box.send(encodeCall(head, { ...question, id: 8n, remainingMs: 0 }, body));
  await box.send(asked);
  const answer = decodeDatagram((await box.receive({ timeoutMs: 5_000 })).data);
  assert.ok(answer?.type === RESULT && answer.id === 7n);
  assert.equal(box.stats.datagramsReceived, 1);
  assert.deepEqual([server.stats.invalid, server.stats.refused, server.stats.calls], [silent.length, 1, 1]);
  await server.close({ timeoutMs: 0 });
});

test("rule D12: no answer to an address that is not proved is longer than three times the question", async () => {
  const { server } = await scene();
  const head = { codec: 2, hash: BigInt(`0x${telemetry.hash}`) };
  const ask = async (cookie: Uint8Array, from: DatagramSocket) => {
    const body = Buffer.from("1000");
    // The methods by name: add, dump, fail, measured, wait.
    const question = { id: 7n, method: 1, remainingMs: 1000, cookie };
    const datagram = encodeCall(head, question, { bytes: body, start: 0, end: body.length });
    await from.send(datagram);
    const { data } = await from.receive({ timeoutMs: 5_000 });
    return { answer: decodeDatagram(data), factor: data.length / datagram.length };
  };
  await using ana = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
  await using eva = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
  const first = await ask(Buffer.alloc(0), ana);
  assert.ok(first.answer?.type === RETRY && first.factor <= 3);
  const cookie = first.answer.body.bytes.subarray(first.answer.body.start);
  assert.equal((await ask(cookie, eva)).answer?.type, RETRY);
  assert.equal((await ask(Buffer.alloc(16), ana)).answer?.type, RETRY);
  assert.equal((await ask(cookie, ana)).answer?.type, RESULT);
  await server.close({ timeoutMs: 0 });
});

test("datagrams that make no sense are told a hundred times in a second, then as a number", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const told: string[] = [];
  const server = await serveStateless(telemetry, "udp://127.0.0.1:0", {
    network: { ...nodeNetwork, clock },
    handlers: {
      measured: () => undefined,
      add: () => 0,
      fail: () => undefined,
      dump: () => Buffer.alloc(0),
      wait: () => undefined,
    },
    onError: (error) => told.push((error as ZocaloError).detail),
  });
  const stranger = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
  const head = { codec: 2, hash: BigInt(`0x${telemetry.hash}`) };
  const body = { bytes: Buffer.from("{"), start: 0, end: 1 };
  const [unknown, broken] = [99, 3].map((method) => encodeEvent(head, method, body));
  for (let round = 0; round < 60; round += 1) {
    await stranger.send(unknown as Buffer);
    await stranger.send(broken as Buffer);
    // One after the other, so that the kernel loses none.
    while (server.stats.requestsHandled < 2 * round + 2) await clock.turn();
  }
  assert.equal(told.length, 100);
  assert.equal(server.stats.requestsFailed, 120);
  await clock.advance(1000);
  assert.match(String(told[100]), /^20 more problems of peers/);
  await stranger.close();
  await server.close({ timeoutMs: 0 });
  assert.equal(clock.pending, 0);
});
