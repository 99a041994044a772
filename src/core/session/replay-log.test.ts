import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HEAD_BYTES } from "./wire/frame-types.ts";
import { ReplayLog } from "./replay-log.ts";

/** Appends a message whose payload is its number again and again. */
function append(log: ReplayLog, payloadBytes: number, now = 0): Buffer {
  const at = log.append(0x40, payloadBytes, now);
  const frame = log.frameBytes.subarray(at, at + HEAD_BYTES + payloadBytes);
  frame.fill(log.last, HEAD_BYTES);
  return Buffer.from(frame);
}

/** Takes everything that is to be sent, in pieces of about `maxBytes`. */
function takeAll(log: ReplayLog, maxBytes = Infinity): Buffer {
  const chunks: Uint8Array[] = [];
  while (log.hasUnsent) {
    const before = log.sent;
    log.take(log.reach(maxBytes), chunks);
    assert.ok(log.sent > before);
  }
  return Buffer.concat(chunks);
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("append" as const), size: fc.nat(3000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("append" as const), size: fc.constant(100_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("take" as const), size: fc.integer({ min: 1, max: 9000 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("acknowledge" as const), size: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rewind" as const), size: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("trim" as const), size: fc.constant(0) }) },
);

test("the log is a list of frames, whatever is done with it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const log = new ReplayLog();
      const frames: Buffer[] = [];
      for (const { kind, size } of steps) {
        if (kind === "append") frames.push(append(log, size));
        else if (kind === "take") {
          const from = log.sent;
          assert.deepEqual(takeAll(log, size), Buffer.concat(frames.slice(from)));
        } else if (kind === "acknowledge")
          log.acknowledge(log.acknowledged + Math.min(size, log.sent - log.acknowledged));
        else if (kind === "rewind") log.rewind(log.acknowledged + Math.min(size, log.transmitted - log.acknowledged));
        else log.trim();
        assert.equal(log.count, frames.length - log.acknowledged);
        const retained = frames.slice(log.acknowledged).reduce((sum, frame) => sum + frame.length, 0);
        assert.ok(log.retainedBytes >= retained && log.pinnedBytes >= retained);
        // No more than a block is wasted at each end, and what does not fit before a long message; and what is kept for more.
        const spare = kind === "trim" ? 0 : 16 * 65_536;
        assert.ok(log.pinnedBytes <= 2 * retained + 3 * 65_536 + spare, `${log.pinnedBytes} for ${retained}`);
        if (log.count > 0) {
          const { bytes, at } = log.frame(log.acknowledged + 1);
          const frame = frames[log.acknowledged] as Buffer;
          assert.deepEqual(bytes.subarray(at, at + frame.length), frame);
        }
      }
      log.rewind(log.acknowledged);
      assert.deepEqual(takeAll(log), Buffer.concat(frames.slice(log.acknowledged)));
    }),
  );
});

test("an empty log keeps at most one block, and none after trim", () => {
  const log = new ReplayLog();
  for (let count = 0; count < 5000; count += 1) append(log, 64);
  takeAll(log);
  log.acknowledge(log.last);
  assert.ok(log.pinnedBytes <= 65_536);
  log.trim();
  assert.equal(log.pinnedBytes, 0);
  const frame = append(log, 10);
  assert.deepEqual(takeAll(log), frame);
});

test("the memory of what was acknowledged is used again, and goes with trim while messages are under way", () => {
  const log = new ReplayLog();
  // The blocks grow to their full size, 65,536 bytes.
  for (let count = 0; count < 20; count += 1) append(log, 30_000);
  takeAll(log);
  const before = log.pinnedBytes;
  log.acknowledge(19);
  assert.ok(log.pinnedBytes > before / 2);
  for (let count = 0; count < 15; count += 1) append(log, 30_000);
  assert.ok(log.pinnedBytes <= before);
  takeAll(log);
  log.acknowledge(34);
  log.trim();
  assert.ok(log.pinnedBytes < 2 * 65_536);
});

test("a long message does not stay in memory after it is acknowledged", () => {
  const log = new ReplayLog();
  append(log, 1_000_000);
  takeAll(log);
  log.acknowledge(1);
  assert.equal(log.pinnedBytes, 0);
});

test("the age is that of the oldest message that is not acknowledged", () => {
  const log = new ReplayLog();
  assert.equal(log.oldestAt, Infinity);
  for (const now of [10, 20, 30]) append(log, 1, now);
  takeAll(log);
  log.acknowledge(1);
  assert.equal(log.oldestAt, 20);
  log.acknowledge(3);
  assert.equal(log.oldestAt, Infinity);
});

test("what was transmitted once stays known after a rewind", () => {
  const log = new ReplayLog();
  for (let count = 0; count < 3; count += 1) append(log, 1);
  takeAll(log);
  append(log, 1);
  assert.equal(log.rewind(1), 2);
  assert.deepEqual([log.sent, log.transmitted, log.last], [1, 3, 4]);
});
