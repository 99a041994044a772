import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { ZocaloError } from "../../core/errors.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import type { DatagramHandler, DatagramServer, ServeDatagramsOptions } from "./server.ts";
import { serveDatagramsOver } from "./serve.ts";

const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });

async function serving(
  handler: DatagramHandler,
  options: ServeDatagramsOptions = {},
): Promise<[DatagramServer, ManualDatagrams]> {
  const transport = new ManualDatagrams();
  transport.immediate = true;
  return [
    await serveDatagramsOver(manualNetwork(clock, [transport]), "udp://127.0.0.1:0", handler, options),
    transport,
  ];
}

test("datagrams that cannot be requests never reach a guarded handler, and are published", async () => {
  const reasons: unknown[] = [];
  const listener = (message: unknown): void => void reasons.push(message);
  subscribe("zocalo:refusal", listener);
  const seen: string[] = [];
  const [server, transport] = await serving(({ data }) => void seen.push(String(data)), { replies: "guarded" });
  transport.deliver(["echo service"], "udp://192.0.2.1:7");
  transport.deliver(["same service"], "udp://192.0.2.1:1000");
  transport.deliver(["a question"], "udp://192.0.2.1:40000");
  await clock.turn();
  unsubscribe("zocalo:refusal", listener);
  assert.deepEqual(seen, ["a question"]);
  assert.equal(server.stats.requestsRefused, 2);
  const names = { kind: "datagram", local: "udp://127.0.0.1:1000", reason: "not-a-request" };
  assert.deepEqual(
    reasons,
    ["udp://192.0.2.1:7", "udp://192.0.2.1:1000"].map((remote) => ({ ...names, remote })),
  );
  await server.close({ timeoutMs: 0 });
});

test("errors are published with the request's sender, and told once", async () => {
  const events: unknown[] = [];
  const listener = (message: unknown): void => void events.push(message);
  subscribe("zocalo:error", listener);
  const broken = new Error("broken");
  const told: unknown[] = [];
  const onError: ServeDatagramsOptions["onError"] = (error, request) =>
    void told.push([error, request?.data.toString()]);
  const handler: DatagramHandler = async (request) => {
    if (String(request.data) === "throw") throw broken;
    // Told of by `reply` itself and then again by what the handler throws: one error.
    await request.reply(Buffer.alloc(70_000));
  };
  const [server, transport] = await serving(handler, { onError });
  transport.deliver(["throw", "large"], "udp://192.0.2.1:40000");
  await clock.turn();
  unsubscribe("zocalo:error", listener);
  assert.deepEqual(
    told.map((entry) => (entry as [{ code?: string }, string])[1]),
    ["throw", "large"],
  );
  assert.equal((told[0] as unknown[])[0], broken);
  assert.equal((told[1] as [{ code: string }])[0].code, "DATAGRAM_TOO_LARGE");
  assert.equal(events.length, 2);
  const expected = { kind: "datagram", local: "udp://127.0.0.1:1000", remote: "udp://192.0.2.1:40000", error: broken };
  assert.deepEqual(events[0], expected);
  assert.equal(server.stats.requestsFailed, 2);
  await server.close({ timeoutMs: 0 });
});

test("an error of the datagram socket is told without a request, and the server goes on", async () => {
  const told: unknown[] = [];
  const [server, transport] = await serving(({ data }) => data, {
    onError: (error, request) => void told.push([error, request]),
  });
  transport.fail(new ZocaloError("NO_BUFFER_SPACE", { op: "receive" }));
  await clock.turn();
  transport.deliver(["eco"]);
  await clock.turn();
  assert.deepEqual(transport.sent, ["eco"]);
  assert.equal(((told[0] as unknown[])[0] as ZocaloError).code, "NO_BUFFER_SPACE");
  assert.equal((told[0] as unknown[])[1], undefined);
  assert.equal(told.length, 1);
  await server.close({ timeoutMs: 0 });
});

test("a server whose datagram socket is lost says so and is closed", async () => {
  const told: unknown[] = [];
  const [server, transport] = await serving(({ data }) => data, { onError: (error) => void told.push(error) });
  transport.fail(new ZocaloError("CLOSED", { op: "receive" }), true);
  await server.closed;
  await clock.turn();
  assert.equal(told.length, 1);
  const { finished, cut, dropped } = await server.close();
  assert.deepEqual({ finished, cut, dropped }, { finished: 0, cut: 0, dropped: 0 });
});

test("close waits five seconds by default and reports on the network's clock", async () => {
  const [server, transport] = await serving(() => new Promise(() => undefined));
  transport.deliver(["a", "b"]);
  await clock.turn();
  const draining = server.close();
  await clock.turn();
  transport.deliver(["too late"]);
  await clock.advance(4999);
  assert.equal(transport.closed, false);
  await clock.advance(1);
  assert.deepEqual(await draining, { finished: 0, cut: 2, dropped: 1, durationMs: 5000 });
  assert.equal(clock.pending, 0);
});

test("the places that become free are filled from the queue", async () => {
  const waiting: (() => void)[] = [];
  const handler: DatagramHandler = ({ data }) => new Promise((resolve) => waiting.push(() => resolve(data)));
  const [server, transport] = await serving(handler, { limits: { maxConcurrentRequests: 2 } });
  transport.deliver(["0", "1", "2", "3", "4"]);
  for (const expected of [2, 2, 2, 2, 1]) {
    await clock.turn();
    assert.equal(server.stats.requestsActive, expected);
    assert.equal(waiting.length, expected);
    waiting.shift()?.();
  }
  await clock.turn();
  assert.deepEqual(transport.sent, ["0", "1", "2", "3", "4"]);
  assert.equal(server.stats.requestsHandled, 5);
  await server.close({ timeoutMs: 0 });
});

test("a forged source gets no more than the ratio times what was sent in its name, and only so many replies", async () => {
  let repliedBytes = 0;
  const handler: DatagramHandler = ({ maxReplyBytes }) => {
    repliedBytes += maxReplyBytes;
    return Buffer.alloc(maxReplyBytes);
  };
  const limits = { maxReceiveQueueDatagrams: 10_000, maxRepliesPerSource: 200, maxConcurrentRequests: 100 };
  const [server, transport] = await serving(handler, { replies: "guarded", limits });
  const victim = "udp://192.0.2.66:40000";
  let forgedBytes = 0;
  for (let count = 0; count < 50; count += 1) {
    transport.deliver(
      Array.from({ length: 20 }, () => "x".repeat(30)),
      victim,
    );
    forgedBytes += 20 * 30;
    await clock.turn();
  }
  const sentBytes = transport.batches.flat().reduce((sum, { data }) => sum + data.length, 0);
  assert.equal(sentBytes, repliedBytes);
  assert.equal(sentBytes, 200 * 90);
  assert.ok(sentBytes < 3 * forgedBytes);
  assert.equal(server.stats.requestsRefused, 800);
  // Nobody else is concerned.
  transport.deliver(["question"], "udp://192.0.2.67:40000");
  await clock.turn();
  assert.equal(server.stats.requestsHandled, 201);
  await server.close({ timeoutMs: 0 });
});
