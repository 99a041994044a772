import assert from "node:assert/strict";
import { test } from "node:test";
import { HELD } from "../../../core/held-bytes.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { PackedSends } from "./packed-sends.ts";

function bodyOf(text: string): BodyPlace {
  const bytes = Buffer.from(`<${text}>`);
  return { bytes, start: 1, end: bytes.length - 1 };
}

function firstOf(sends: PackedSends): string {
  assert.equal(sends.queue.peek(), true);
  const { bytes, start, end } = sends.queue;
  return bytes.toString("utf8", start, end);
}

test("those who await a message learn of theirs, with messages between them for which nobody waits", async () => {
  const sends = new PackedSends();
  const fates: string[] = [];
  const told = (name: string, sent: Promise<void>): Promise<void> =>
    sent.then(
      () => void fates.push(`${name} sent`),
      (error: unknown) => void fates.push(`${name} ${String(error)}`),
    );
  sends.post(1, bodyOf("a"), 5);
  const waiting = [told("b", sends.push(2, bodyOf("b"), 6))];
  sends.post(3, bodyOf("c"), 7);
  waiting.push(told("d", sends.push(4, bodyOf("d"), 8)), told("e", sends.push(5, bodyOf("e"), 9)));
  assert.deepEqual([sends.size, sends.oldestAt], [5, 5]);
  for (const [name, method] of [["a", 1] as const, ["b", 2] as const, ["c", 3] as const]) {
    assert.deepEqual([firstOf(sends), sends.queue.method], [name, method]);
    sends.shift();
  }
  assert.equal(sends.oldestAt, 8);
  assert.equal(firstOf(sends), "d");
  sends.refuse("refused");
  assert.equal(firstOf(sends), "e");
  sends.shift();
  await Promise.all(waiting);
  assert.deepEqual([fates, sends.size, sends.oldestAt], [["b sent", "d refused", "e sent"], 0, Infinity]);
});

test("each message counts with what it pins, and one that somebody awaits with the promise", () => {
  const sends = new PackedSends();
  sends.post(0, bodyOf("x"), 0);
  assert.equal(sends.bytes, PackedSends.bytesOf(1, false));
  void sends.push(0, bodyOf("xx"), 0);
  assert.equal(sends.bytes, PackedSends.bytesOf(1, false) + PackedSends.bytesOf(2, true));
  assert.equal(PackedSends.bytesOf(2, true) - PackedSends.bytesOf(2, false), HELD.sender);
  for (let count = 0; count < 1000; count += 1) void sends.push(0, bodyOf("x"), 0);
  while (sends.queue.peek()) sends.shift();
  assert.equal(sends.bytes, 0);
  assert.ok(sends.heldBytes <= 512);
});

test("a message that is refused ends nobody who does not look at it", async () => {
  const sends = new PackedSends();
  void sends.push(0, bodyOf("x"), 0);
  assert.equal(firstOf(sends), "x");
  sends.refuse(new Error("over"));
  await new Promise((resolve) => setImmediate(resolve));
});
