import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamQueue } from "./stream-queue.ts";

function taken(queue: StreamQueue, nowUs: number, most?: number): string {
  return queue.take(nowUs, most).pieces.map(String).join();
}

test("what is due is taken in order, up to what is no bytes, and counts until it is released", () => {
  const queue = new StreamQueue();
  for (const [index, text] of ["a", "bc", "d"].entries()) queue.add("bytes", index * 10, Buffer.from(text));
  queue.add("end", 30);
  queue.add("bytes", 30, Buffer.from("x"));
  assert.equal(queue.cost, 5 + 5 * 256);
  assert.equal(taken(queue, 10, 1), "a");
  const { bytes, cost } = queue.take(15);
  assert.deepEqual([bytes, cost], [2, 258]);
  assert.equal(taken(queue, 15), "");
  assert.deepEqual(queue.next?.dueUs, 20);
  queue.hurry(16);
  assert.equal(taken(queue, 16), "d");
  assert.equal(queue.next?.kind, "end");
  assert.equal(taken(queue, 99), "");
  assert.equal(queue.isEmpty, false);
  queue.clear();
  assert.equal(queue.isEmpty, true);
});

test("silence holds what comes in it; what was under way before arrives", () => {
  const queue = new StreamQueue();
  queue.add("bytes", 5, Buffer.from("before"));
  queue.isSilent = true;
  queue.add("bytes", 5, Buffer.from("in it"));
  assert.equal(taken(queue, 5), "before");
  assert.deepEqual([queue.next, queue.isEmpty], [undefined, false]);
  queue.isSilent = false;
  assert.equal(taken(queue, 5), "in it");
});
