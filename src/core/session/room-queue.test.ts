import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_CREDIT, REQUESTS, RoomQueue, TOO_MANY_CALLS, TOO_MANY_STREAMS } from "./room-queue.ts";

test("who waits comes out in the order of coming, each once", () => {
  const room = new RoomQueue();
  assert.equal(room.waits, false);
  for (const id of [3, 1, 3, 5]) room.enqueue(id);
  assert.deepEqual([room.take(), room.take()], [3, 1]);
  room.enqueue(3);
  assert.deepEqual([room.take(), room.take(), room.take()], [5, 3, undefined]);
  assert.equal(room.waits, false);
});

test("requests come when one of the reasons is over for which they were refused, and only then", () => {
  const room = new RoomQueue();
  room.refuse(TOO_MANY_CALLS);
  room.refuse(NO_CREDIT);
  room.over(TOO_MANY_STREAMS);
  assert.equal(room.take(), undefined);
  assert.equal(room.waits, true);
  room.over(TOO_MANY_STREAMS | NO_CREDIT);
  assert.equal(room.take(), REQUESTS);
  room.over(TOO_MANY_CALLS);
  assert.equal(room.take(), undefined, "they have been told");
  assert.equal(room.waits, false);
});

test("nobody waits behind the end", () => {
  const room = new RoomQueue();
  room.refuse(NO_CREDIT);
  room.enqueue(7);
  room.clear();
  assert.equal(room.waits, false);
  room.over(NO_CREDIT);
  assert.equal(room.take(), undefined);
});
