/** The datagram suite: what a receive queue does when it is full (docs/semantics.md, rule B2). */

import assert from "node:assert/strict";
import { UsageError } from "../../core/errors.ts";
import { assertFields, expectError } from "../expect-error.ts";
import { arrivesNext, type DatagramChecks, fill, numbers, take, texts } from "./world.ts";

const SENT = 20;
const KEPT = 5;

/** The receive queue's policies and counters. */
export const queueChecks: DatagramChecks = {
  async "drop-oldest, the default, keeps the newest"(scene) {
    const box = await scene.open({ limits: { maxReceiveQueueDatagrams: KEPT } });
    await fill(scene, box, numbers(SENT));
    assertFields(box.stats, { datagramsReceived: SENT, datagramsDropped: SENT - KEPT, datagramsWaiting: KEPT });
    assert.deepEqual(texts(await box.receiveMany(SENT)), numbers(KEPT, SENT - KEPT));
    await arrivesNext(box);
  },

  async "drop-newest keeps the oldest"(scene) {
    const box = await scene.open({ limits: { maxReceiveQueueDatagrams: KEPT }, overflow: "drop-newest" });
    await fill(scene, box, numbers(SENT));
    assertFields(box.stats, { datagramsReceived: SENT, datagramsDropped: SENT - KEPT, datagramsWaiting: KEPT });
    assert.deepEqual(texts(await box.receiveMany(SENT)), numbers(KEPT));
    await arrivesNext(box);
  },

  async "the queue is bounded in bytes too, and the counters know them"(scene) {
    const box = await scene.open({ limits: { maxReceiveQueueBytes: 100 } });
    const payloads = numbers(10).map((text) => text.repeat(30));
    await fill(scene, box, payloads);
    assertFields(box.stats, { bytesReceived: 300, bytesDropped: 210, bytesWaiting: 90, datagramsWaiting: 3 });
    assert.deepEqual(texts(await box.receiveMany(SENT)), payloads.slice(7));
    assert.equal(box.stats.bytesWaiting, 0);
  },

  async "a datagram larger than the whole queue still gets through, alone"(scene) {
    for (const overflow of ["drop-oldest", "drop-newest", "strict"] as const) {
      const box = await scene.open({ limits: { maxReceiveQueueBytes: 10 }, overflow });
      await fill(scene, box, ["x".repeat(1000)]);
      assert.deepEqual(await take(box, 1), ["x".repeat(1000)]);
      assert.equal(box.stats.datagramsDropped, 0);
    }
  },

  async "strict tells of the loss, at its place, and goes on"(scene) {
    const box = await scene.open({ limits: { maxReceiveQueueDatagrams: KEPT }, overflow: "strict" });
    await fill(scene, box, numbers(SENT));
    await fill(scene, box, ["also lost"]);
    assert.deepEqual(texts(await box.receiveMany(3)), numbers(3));
    assert.deepEqual(await take(box, 2), numbers(2, 3));
    const expected = { code: "QUEUE_FULL", op: "receive", type: UsageError, side: "local" } as const;
    const error = await expectError(box.receive(), expected);
    assert.match(error.detail, new RegExp(`^${SENT - KEPT + 1} datagrams`));
    await arrivesNext(box);
    assert.equal(box.stats.datagramsDropped, SENT - KEPT + 1);
  },

  async "strict ends an iteration with the loss, and the next one goes on"(scene) {
    const box = await scene.open({ limits: { maxReceiveQueueDatagrams: 1 }, overflow: "strict" });
    await fill(scene, box, numbers(3));
    const seen: string[] = [];
    const loop = async (): Promise<void> => {
      for await (const { data } of box) seen.push(data.toString());
    };
    await expectError(loop(), { code: "QUEUE_FULL", op: "receive", type: UsageError });
    assert.deepEqual(seen, ["0"]);
    await arrivesNext(box);
  },

  async "a reader that keeps up loses nothing, however small its queue"({ open }) {
    const box = await open({ limits: { maxReceiveQueueDatagrams: 1 } });
    for (const text of numbers(20)) {
      await box.send(text, box.localAddress);
      assert.deepEqual(await take(box, 1), [text]);
    }
    assert.equal(box.stats.datagramsDropped, 0);
  },

  async "a full receive queue does not hinder sending"(scene) {
    const [box, other] = [await scene.open({ limits: { maxReceiveQueueDatagrams: 1 } }), await scene.open()];
    await fill(scene, box, numbers(SENT));
    await arrivesNext(box, other);
  },
};

/** The policy `block`. */
export const blockChecks: DatagramChecks = {
  async "block leaves the rest with the network and drops nothing itself"({ open, settle }) {
    const box = await open({ limits: { maxReceiveQueueDatagrams: KEPT }, overflow: "block" });
    await box.sendMany(numbers(100).map((data) => ({ data, to: box.localAddress })));
    await settle();
    assert.deepEqual(await take(box, 100), numbers(100));
    assertFields(box.stats, { datagramsReceived: 100, datagramsDropped: 0 });
    await arrivesNext(box);
  },
};
