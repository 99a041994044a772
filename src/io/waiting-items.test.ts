import assert from "node:assert/strict";
import { test } from "node:test";
import type { BodyPlace } from "../core/session/outgoing.ts";
import { WaitingItems } from "./waiting-items.ts";

function scene() {
  let bytes = 0;
  const items = new WaitingItems((change) => (bytes += change));
  return { items, bytes: () => bytes };
}

function bodyOf(text: string): BodyPlace {
  const bytes = Buffer.from(text);
  return { bytes, start: 0, end: bytes.length };
}

test("items leave in order while there is room, and each resolves when it is sent", async () => {
  const { items, bytes } = scene();
  const scratch = bodyOf("one");
  const done: string[] = [];
  void items.push(scratch, "send").then(() => done.push("one"));
  // The place of a body is used again.
  (scratch.bytes as Buffer).write("xxx");
  void items.push(bodyOf("three"), "send").then(() => done.push("three"));
  assert.deepEqual([items.isEmpty, bytes()], [false, 8]);
  const sent: string[] = [];
  items.flush((body) => sent.length < 1 && sent.push(String(body.bytes)) > 0);
  await Promise.resolve();
  assert.deepEqual([sent, done, bytes()], [["one"], ["one"], 5]);
  items.flush((body) => sent.push(String(body.bytes)) > 0);
  await Promise.resolve();
  assert.deepEqual([sent, done, items.isEmpty, bytes()], [["one", "three"], ["one", "three"], true, 0]);
});

test("what cannot be sent stops the others; rejected items end nobody who does not look", async () => {
  const { items, bytes } = scene();
  const waiting = ["a", "b", "c"].map((text) => items.push(bodyOf(text), "send"));
  const flush = (): void =>
    items.flush((body) => {
      if (String(body.bytes) === "b") throw new Error("too long");
      return true;
    });
  assert.throws(flush, /too long/);
  assert.equal(bytes(), 2);
  items.reject(new Error("over"));
  assert.deepEqual([items.isEmpty, bytes()], [true, 0]);
  await waiting[0];
  await assert.rejects(waiting[1] as Promise<void>, /over/);
});

test("as many may wait, and as many bytes, as there is a limit for", () => {
  const many = scene().items;
  for (let count = 0; count < 16_384; count += 1) void many.push(bodyOf("x"), "send");
  assert.throws(() => many.push(bodyOf("x"), "send"), { code: "QUEUE_FULL", op: "send", outcome: "none" });
  const large = scene().items;
  const mebibytes = bodyOf("x".repeat(4_194_304));
  for (let count = 0; count < 4; count += 1) void large.push(mebibytes, "send");
  assert.throws(() => large.push(bodyOf("x"), "send"), { code: "QUEUE_FULL" });
});
