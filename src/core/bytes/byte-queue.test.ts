import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "./byte-queue.ts";

const bytes = fc.uint8Array({ maxLength: 200 });

const step = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), bytes }),
  fc.record({ kind: fc.constant("unshift" as const), bytes: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({ kind: fc.constant("shift" as const), count: fc.nat(100) }),
  fc.record({ kind: fc.constant("skip" as const), count: fc.nat(100) }),
  fc.record({ kind: fc.constant("take" as const), count: fc.nat(300) }),
  fc.record({ kind: fc.constant("copyTo" as const), count: fc.nat(300) }),
  fc.record({
    kind: fc.constant("indexOf" as const),
    delimiter: fc.uint8Array({ minLength: 1, maxLength: 3, max: 2 }),
    from: fc.nat(50),
  }),
);

test("the queue is a sequence of bytes, whatever is done with it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new ByteQueue();
      let model = Buffer.alloc(0);
      for (const action of steps) {
        if (action.kind === "append") {
          queue.append(action.bytes);
          model = Buffer.concat([model, action.bytes]);
        } else if (action.kind === "unshift") {
          queue.unshift(action.bytes);
          model = Buffer.concat([action.bytes, model]);
        } else if (action.kind === "skip") {
          const shown = queue.peek();
          assert.deepEqual(shown, model.length === 0 ? undefined : model.subarray(0, shown?.length));
          const count = Math.min(action.count, shown?.length ?? 0);
          queue.skip(count);
          model = model.subarray(count);
        } else if (action.kind === "shift") {
          const got = queue.shift(action.count + 1);
          if (model.length === 0) assert.equal(got, undefined);
          else {
            assert.ok(got !== undefined && got.length > 0 && got.length <= action.count + 1);
            assert.deepEqual(got, model.subarray(0, got.length));
            model = model.subarray(got.length);
          }
        } else if (action.kind === "take") {
          const count = Math.min(action.count, model.length);
          assert.deepEqual(queue.take(count), Buffer.from(model.subarray(0, count)));
          model = model.subarray(count);
        } else if (action.kind === "copyTo") {
          const target = Buffer.alloc(action.count);
          const filled = queue.copyTo(target);
          assert.equal(filled, Math.min(action.count, model.length));
          assert.deepEqual(target.subarray(0, filled), model.subarray(0, filled));
          model = model.subarray(filled);
        } else {
          const from = Math.min(action.from, model.length);
          assert.equal(queue.indexOf(action.delimiter, from), model.indexOf(action.delimiter, from));
        }
        assert.equal(queue.length, model.length);
      }
    }),
    { numRuns: 500 },
  );
});

test("what was appended is copied, so that the caller may reuse its buffer", () => {
  const queue = new ByteQueue();
  const input = Buffer.from("hola");
  queue.append(input);
  input.fill(0);
  assert.equal(String(queue.take(4)), "hola");
});

test("what was handed out is never written again", () => {
  const queue = new ByteQueue();
  queue.append(Buffer.alloc(300, 1));
  const first = queue.shift(300);
  queue.append(Buffer.alloc(300, 2));
  assert.deepEqual(first, Buffer.alloc(300, 1));
});

test("a small piece of a large block is copied out and does not pin the block", () => {
  const queue = new ByteQueue();
  queue.append(Buffer.alloc(65_536, 7));
  const small = queue.take(20);
  const large = queue.take(60_000);
  assert.notEqual(small.buffer, large.buffer);
});

test("a single byte that is kept pins no large piece that was taken before or after it", () => {
  const queue = new ByteQueue();
  const kept = new Map<ArrayBufferLike, number>();
  for (let turn = 0; turn < 1000; turn += 1) {
    queue.append(Buffer.alloc(65_536));
    const { buffer } = queue.take(1);
    kept.set(buffer, buffer.byteLength);
    // From one block, then from two.
    for (const count of [8192, 8192, 30_000, 20_000]) queue.take(Math.min(count, queue.length));
  }
  const pinnedBytes = [...kept.values()].reduce((sum, each) => sum + each, 0);
  assert.ok(pinnedBytes <= 1000 * 8 + 3 * Buffer.poolSize, `${pinnedBytes} bytes are pinned`);
});

test("single bytes cost at most about twice their number once there are many", () => {
  const queue = new ByteQueue();
  const one = Buffer.of(1);
  for (let count = 0; count < 60_000; count += 1) queue.append(one);
  let held = 0;
  const blocks = new Set<ArrayBufferLike>();
  for (let piece = queue.shift(60_000); piece !== undefined; piece = queue.shift(60_000)) blocks.add(piece.buffer);
  for (const block of blocks) held += block.byteLength;
  assert.ok(held <= 2 * 60_000 + 1024, `${held} bytes are held for 60000`);
});

test("a delimiter is found across many small blocks", () => {
  const queue = new ByteQueue();
  for (const part of ["a\r", "\n"]) queue.unshift(Buffer.from(part));
  queue.clear();
  for (const part of ["\n", "\r", "b", "a"]) queue.unshift(Buffer.from(part));
  assert.equal(queue.indexOf(Buffer.from("\r\n"), 0), 2);
  assert.equal(queue.indexOf(Buffer.from("\r\n"), 3), -1);
});
