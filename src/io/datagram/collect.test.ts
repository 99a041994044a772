import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import { expectError } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { bindOver } from "./bind.ts";

test("collect under strict tells of a loss, and gives back what it had", async () => {
  const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
  const transport = new ManualDatagrams();
  const limits = { maxReceiveQueueDatagrams: 2 };
  const box = await bindOver(manualNetwork(clock, [transport]), "udp://127.0.0.1:0", { limits, overflow: "strict" });
  transport.deliver(["1", "2", "3"]);
  await expectError(box.collect({ forMs: 100 }), { code: "QUEUE_FULL", op: "collect" });
  assert.deepEqual(
    (await box.collect({ forMs: 0, max: 2 })).map(({ data }) => String(data)),
    ["1", "2"],
  );
  assert.equal(clock.pending, 0);
});
