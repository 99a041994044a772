import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, TimeoutError, ZocaloError } from "../../core/errors.ts";
import { assertError, expectError, reasonOf } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import { bindOver } from "./bind.ts";
import type { DatagramSocket, DatagramToSend } from "./public.ts";
import type { BindOptions } from "./settings.ts";

const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
const to = "udp://127.0.0.1:9";

async function opened(options: BindOptions = {}): Promise<[DatagramSocket, ManualDatagrams]> {
  const transport = new ManualDatagrams();
  return [await bindOver(manualNetwork(clock, [transport]), "udp://127.0.0.1:0", options), transport];
}

function items(count: number): DatagramToSend[] {
  return Array.from({ length: count }, (_, index) => ({ data: String(index), to }));
}

test("what waits behind a batch becomes the next batch", async () => {
  const [box, transport] = await opened();
  const sends = [box.send("0", to), box.send("1", to), box.send("2", to)];
  assert.deepEqual(
    transport.batches.map((batch) => batch.length),
    [1],
  );
  transport.decide();
  await sends[0];
  assert.deepEqual(
    transport.batches.map((batch) => batch.length),
    [1, 2],
  );
  assert.equal(box.stats.datagramsUnsent, 2);
  transport.decide();
  await Promise.all(sends);
  assert.deepEqual(transport.sent, ["0", "1", "2"]);
  assert.deepEqual([box.stats.datagramsSent, box.stats.bytesSent, box.stats.datagramsUnsent], [3, 3, 0]);
});

test("a send settles when the network has decided, not before", async () => {
  const [box, transport] = await opened();
  let settled = false;
  const sent = box.send("0", to).then(() => {
    settled = true;
  });
  await clock.turn();
  assert.equal(settled, false);
  transport.decide();
  await sent;
});

test("failures find their calls and their places", async () => {
  const [box, transport] = await opened();
  const first = box.send("first", to);
  const second = reasonOf(box.send("second", to));
  const many = box.sendMany(items(3));
  transport.decide();
  await first;
  const error = (text: string): ZocaloError => new ZocaloError("HOST_UNREACHABLE", { op: "send", remote: text });
  transport.decide([0, 2, 3].map((index) => ({ index, error: error(String(index)) })));
  assertError(await second, { code: "HOST_UNREACHABLE", op: "send", outcome: "none", remote: "0" });
  const { sent, failures } = await many;
  assert.equal(sent, 1);
  assert.deepEqual(
    failures.map(({ index }) => index),
    [1, 2],
  );
  for (const failure of failures)
    assertError(failure.error, { code: "HOST_UNREACHABLE", op: "sendMany", outcome: "none" });
  assert.equal(box.stats.datagramsSent, 2);
});

test("a large sendMany goes out in several batches, which answer once", async () => {
  const [box, transport] = await opened();
  const sending = box.sendMany(items(600));
  for (let batch = 0; batch < 3; batch += 1) {
    transport.decide();
    await clock.turn();
  }
  assert.deepEqual(await sending, { sent: 600, failures: [] });
  assert.deepEqual(
    transport.batches.map((batch) => batch.length),
    [256, 256, 88],
  );
  assert.deepEqual(
    transport.sent,
    items(600).map(({ data }) => data),
  );
});

test("a send that has begun completes although its caller left; its bytes are its own", async () => {
  const [box, transport] = await opened();
  const buffer = Buffer.from("begun");
  const sending = box.send(buffer, to, { timeoutMs: 50 });
  const late = expectError(sending, { code: "TIMEOUT", op: "send", type: TimeoutError, outcome: "all" });
  await clock.advance(50);
  await late;
  buffer.fill("?");
  assert.deepEqual(transport.sent, ["begun"]);
  transport.decide();
  assert.equal(box.stats.datagramsSent, 1);
});

test("a sendMany that has begun completes from a copy", async () => {
  const [box, transport] = await opened();
  const buffers = Array.from({ length: 300 }, (_, index) => Buffer.from(String(index)));
  const controller = new AbortController();
  const reason = new Error("enough");
  const list = buffers.map((data) => ({ data, to }));
  const leaving = reasonOf(box.sendMany(list, { signal: controller.signal }));
  controller.abort(reason);
  assert.equal(await leaving, reason);
  for (const buffer of buffers) buffer.fill("?");
  transport.decide();
  await clock.turn();
  transport.decide();
  assert.deepEqual(
    transport.sent,
    items(300).map(({ data }) => data),
  );
});

test("a send behind another is removed when it is cancelled", async () => {
  const [box, transport] = await opened();
  const first = box.send("first", to);
  const second = expectError(box.send("second", to, { timeoutMs: 50 }), {
    code: "TIMEOUT",
    op: "send",
    outcome: "none",
  });
  const third = box.send("third", to);
  await clock.advance(50);
  await second;
  transport.decide();
  transport.decide();
  await Promise.all([first, third]);
  assert.deepEqual(transport.sent, ["first", "third"]);
  assert.equal(clock.pending, 0);
});

test("after 128 datagrams the answer waits for the end of the event loop's turn", async () => {
  const [box, transport] = await opened();
  transport.immediate = true;
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  for (let sent = 0; sent < 127; sent += 1) await box.send("x", to);
  assert.equal(turned, false);
  await box.send("x", to);
  assert.equal(turned, true);
});

test("when the network takes the datagram socket away, what had begun is unknown and the rest is not sent", async () => {
  const [box, transport] = await opened();
  const begun = reasonOf(box.send("begun", to));
  const waiting = reasonOf(box.send("waiting", to));
  const receiving = reasonOf(box.receive());
  const step = reasonOf(box[Symbol.asyncIterator]().next());
  transport.fail(new ZocaloError("CLOSED", { op: "receive" }), true);
  assertError(await begun, { code: "CLOSED", op: "send", type: ConnectionError, outcome: "unknown" });
  assertError(await waiting, { code: "CLOSED", op: "send", type: ConnectionError, outcome: "none" });
  for (const pending of [receiving, step]) assertError(await pending, { code: "CLOSED", op: "receive" });
  const { how, error } = await box.closed;
  assert.equal(how, "failed");
  assertError(error, { code: "CLOSED" });
  assert.equal(transport.closed, true);
  transport.decide();
  await box.close();
});

test("close waits for what was accepted, at most lingerMs", async () => {
  const [box, transport] = await opened();
  const begun = reasonOf(box.send("begun", to));
  const waiting = reasonOf(box.send("waiting", to));
  const closing = expectError(box.close(), { code: "TIMEOUT", op: "close", type: TimeoutError });
  await expectError(box.send("later", to), { code: "CLOSED", op: "send", outcome: "none" });
  await clock.advance(1999);
  assert.equal(transport.closed, false);
  await clock.advance(1);
  await closing;
  assertError(await begun, { code: "CLOSED", op: "send", outcome: "unknown" });
  assertError(await waiting, { code: "CLOSED", op: "send", outcome: "none" });
  assert.equal(transport.closed, true);
});
