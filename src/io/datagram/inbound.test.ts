import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { ZocaloError } from "../../core/errors.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import { expectError } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { DiagnosticEvent } from "../operation/diagnostics.ts";
import { bindOver } from "./bind.ts";
import type { DatagramSocket } from "./public.ts";
import type { BindOptions } from "./settings.ts";

const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });

async function opened(options: BindOptions = {}, remote?: string): Promise<[DatagramSocket, ManualDatagrams]> {
  const transport = new ManualDatagrams({ remote });
  const box = await bindOver(manualNetwork(clock, [transport]), "udp://127.0.0.1:0", { ...options, remote });
  return [box, transport];
}

test("block pauses the network over the limit and lets it go on when half is free", async () => {
  const [box, transport] = await opened({ limits: { maxReceiveQueueDatagrams: 4 }, overflow: "block" });
  transport.deliver(["0", "1", "2", "3"]);
  assert.equal(transport.paused, false);
  transport.deliver(["4", "5"]);
  assert.equal(transport.paused, true);
  // What was on its way still comes, and is kept.
  transport.deliver(["6"]);
  await box.receiveMany(4);
  assert.equal(transport.paused, true);
  await box.receive();
  assert.equal(transport.paused, false);
  assert.equal(box.stats.datagramsDropped, 0);
  assert.equal((await box.receiveMany(9)).length, 2);
});

test("block counts bytes too", async () => {
  const [box, transport] = await opened({ limits: { maxReceiveQueueBytes: 10 }, overflow: "block" });
  transport.deliver(["12345678", "12345678"]);
  assert.equal(transport.paused, true);
  await box.receive();
  assert.equal(transport.paused, true);
  await box.receive();
  assert.equal(transport.paused, false);
});

test("a receive that times out leaves at once, and the next one moves up", async () => {
  const [box, transport] = await opened();
  const first = box.receive({ timeoutMs: 100 });
  const second = box.receive();
  const late = expectError(first, { code: "TIMEOUT", op: "receive", outcome: "none" });
  await clock.advance(100);
  await late;
  transport.deliver(["0"]);
  assert.equal((await second).data.toString(), "0");
  assert.equal(clock.pending, 0);
});

test("a datagram in time cancels the time-out", async () => {
  const [box, transport] = await opened();
  const received = box.receive({ timeoutMs: 100 });
  transport.deliver(["0"]);
  await received;
  assert.equal(clock.pending, 0);
});

test("an error of the network does not overtake a caller twice, nor cost a datagram", async () => {
  const [box, transport] = await opened({}, "udp://127.0.0.1:2000");
  const refused = new ZocaloError("CONNECTION_REFUSED", { op: "receive" });
  transport.deliver(["0"]);
  transport.fail(refused);
  transport.fail(refused);
  await expectError(box.receive(), { code: "CONNECTION_REFUSED", op: "receive", local: "udp://127.0.0.1:1000" });
  assert.equal((await box.receive()).data.toString(), "0");
});

test("an overflow is published once for each time the reader falls behind", async () => {
  const reasons: unknown[] = [];
  const listener = (message: unknown): void => void reasons.push((message as DiagnosticEvent).reason);
  subscribe("zocalo:refusal", listener);
  const [box, transport] = await opened({ limits: { maxReceiveQueueDatagrams: 1 } });
  transport.deliver(["0", "1", "2"]);
  transport.deliver(["3"]);
  assert.deepEqual(reasons, ["receive-queue"]);
  await box.receive();
  transport.deliver(["4"]);
  transport.deliver(["5"]);
  assert.deepEqual(reasons, ["receive-queue", "receive-queue"]);
  unsubscribe("zocalo:refusal", listener);
});
