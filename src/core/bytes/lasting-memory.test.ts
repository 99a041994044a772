import assert from "node:assert/strict";
import { test } from "node:test";
import { lastingCopy, lastingMemory } from "./lasting-memory.ts";

test("what is kept pins no large piece that was made before or after it", () => {
  for (const largeBytes of [3000, 4096, 8192, 30_000, 65_536]) {
    const kept = new Map<ArrayBufferLike, number>();
    for (let turn = 0; turn < 1000; turn += 1) {
      const { buffer } = lastingMemory(1);
      kept.set(buffer, buffer.byteLength);
      lastingMemory(largeBytes);
    }
    const pinnedBytes = [...kept.values()].reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(pinnedBytes <= 1000 * 8, `${pinnedBytes} beside pieces of ${largeBytes}`);
  }
});

test("a copy has the bytes, and none of the memory", () => {
  for (const count of [0, 1, 64, 65, 4095, 4096, 100_000]) {
    const bytes = new Uint8Array(count).fill(7);
    const copy = lastingCopy(bytes);
    bytes.fill(0);
    assert.deepEqual(copy, Buffer.alloc(count, 7));
  }
});
