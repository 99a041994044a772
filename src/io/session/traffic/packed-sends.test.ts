import assert from "node:assert/strict";
import { test } from "node:test";
import { HELD } from "../../../core/held-bytes.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import type { EndpointSettings } from "../settings.ts";
import { PackedSends, WaitingItems } from "./packed-sends.ts";

function bodyOf(text: string): BodyPlace {
  const bytes = Buffer.from(`<${text}>`);
  return { bytes, start: 1, end: bytes.length - 1 };
}

function firstOf(sends: PackedSends): string {
  assert.equal(sends.queue.peek(), true);
  return textOf(sends.queue);
}

function textOf({ bytes, start, end }: BodyPlace): string {
  return String(bytes.subarray(start, end));
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

function scene(mostBytes = Infinity) {
  let bytes = 0;
  const items = new WaitingItems((change) => (bytes += change));
  const settings = { maxHeldBytesPerSession: mostBytes } as EndpointSettings;
  const push = (body: BodyPlace): Promise<void> =>
    items.push(body, "send", { heldBytes: bytes, settings, turnTime: () => 0 });
  return { items, push, bytes: () => bytes };
}

test("items leave in order while there is room, and each resolves when it is sent", async () => {
  const { items, push, bytes } = scene();
  const scratch = bodyOf("one");
  const done: string[] = [];
  void push(scratch).then(() => done.push("one"));
  // The place of a body is used again.
  (scratch.bytes as Buffer).write("xxx");
  void push(bodyOf("three")).then(() => done.push("three"));
  assert.equal(items.isEmpty, false);
  const held = bytes();
  assert.ok(held > 2 * HELD.sender && held < 2 * HELD.sender + 1000, String(held));
  const sent: string[] = [];
  items.flush((body) => sent.length < 1 && sent.push(textOf(body)) > 0);
  await Promise.resolve();
  assert.deepEqual([sent, done, bytes()], [["one"], ["one"], held - HELD.sender]);
  items.flush((body) => sent.push(textOf(body)) > 0);
  await Promise.resolve();
  assert.deepEqual([sent, done, items.isEmpty, bytes()], [["one", "three"], ["one", "three"], true, 0]);
});

test("what cannot be sent stops the others; rejected items end nobody who does not look", async () => {
  const { items, push, bytes } = scene();
  const waiting = ["a", "b", "c"].map((text) => push(bodyOf(text)));
  const held = bytes();
  const flush = (): void =>
    items.flush((body) => {
      if (textOf(body) === "b") throw new Error("too long");
      return true;
    });
  assert.throws(flush, /too long/);
  assert.equal(bytes(), held - HELD.sender);
  items.reject(new Error("over"));
  assert.deepEqual([items.isEmpty, bytes()], [true, 0]);
  await waiting[0];
  await assert.rejects(waiting[1] as Promise<void>, /over/);
});

test("as many may wait, and as much memory, as there is a limit for", () => {
  const full = { code: "QUEUE_FULL", op: "send", outcome: "none" };
  const many = scene();
  for (let count = 0; count < 16_384; count += 1) void many.push(bodyOf("x"));
  assert.throws(() => many.push(bodyOf("x")), full);
  const large = scene();
  const mebibytes = bodyOf("x".repeat(4_194_304));
  for (let count = 0; count < 3; count += 1) void large.push(mebibytes);
  assert.throws(() => large.push(mebibytes), full);
  const session = scene(10_000);
  void session.push(bodyOf("x".repeat(9000)));
  assert.throws(() => session.push(bodyOf("x".repeat(1000))), full);
});

test("one item may wait, however large it is", () => {
  const { push } = scene(0);
  void push(bodyOf("x".repeat(17_000_000)));
  assert.throws(() => push(bodyOf("x")), { code: "QUEUE_FULL" });
});
