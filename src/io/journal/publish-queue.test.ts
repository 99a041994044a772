import assert from "node:assert/strict";
import { test } from "node:test";
import { nextTurn } from "../../../test/fixtures/gate.ts";
import { PublishQueue } from "./publish-queue.ts";

/** A queue whose batches a test lets go. */
function scene(): {
  readonly queue: PublishQueue;
  readonly sizes: number[];
  readonly go: (error?: Error) => Promise<void>;
} {
  const sizes: number[] = [];
  let go: (error?: Error) => void = () => undefined;
  const queue = new PublishQueue((batch) => {
    sizes.push(batch.length);
    return new Promise<void>((resolve, reject) => (go = (error) => (error === undefined ? resolve() : reject(error))));
  });
  return {
    queue,
    sizes,
    go: async (error) => {
      go(error);
      await nextTurn();
    },
  };
}

test("one batch is under way, the next one waits for it, and what has no room is dropped", async () => {
  const { queue, sizes, go } = scene();
  for (let count = 0; count < 3; count += 1) queue.push("g", Buffer.alloc(1));
  await nextTurn();
  for (let count = 0; count < 2_000; count += 1) queue.push("g", Buffer.alloc(1));
  await nextTurn();
  assert.deepEqual(sizes, [3]);
  await go();
  for (let count = 0; count < 100; count += 1) queue.push("g", Buffer.alloc(65_536));
  await go();
  assert.deepEqual(sizes, [3, 1_024, 63]);
  await go();
  queue.push("g", Buffer.alloc(65_537));
  await nextTurn();
  assert.deepEqual(sizes, [3, 1_024, 63]);
});

test("a batch that cannot be sent is dropped, and the next one is sent", async () => {
  const { queue, sizes, go } = scene();
  queue.push("g", Buffer.alloc(1));
  await nextTurn();
  queue.push("g", Buffer.alloc(1));
  queue.push("g", Buffer.alloc(1));
  await go(new Error("away"));
  assert.deepEqual(sizes, [1, 2]);
  await go();
});
