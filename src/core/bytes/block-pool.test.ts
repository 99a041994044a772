import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BlockPool, blockBytes } from "./block-pool.ts";

describe("BlockPool", () => {
  it("lends blocks of powers of two from 1 KiB to 64 KiB, and larger ones as asked", () => {
    const pool = new BlockPool();
    const sizes = [0, 1, 1024, 1025, 5000, 65_536, 65_537, 200_000].map((bytes) => pool.acquire(bytes).length);
    assert.deepEqual(sizes, [1024, 1024, 1024, 2048, 8192, 65_536, 65_537, 200_000]);
    assert.deepEqual([0, 1024, 1025, 65_536, 1e9].map(blockBytes), [1024, 1024, 2048, 65_536, 65_536]);
  });

  it("lends again what was given back, to those who ask for that size", () => {
    const pool = new BlockPool();
    const block = pool.acquire(3000);
    pool.release(block);
    assert.equal(pool.keptBytes, 4096);
    assert.notEqual(pool.acquire(2000), block);
    assert.equal(pool.acquire(4000), block);
    assert.equal(pool.keptBytes, 0);
  });

  it("keeps no more than it is told, and no large blocks", () => {
    const pool = new BlockPool(3000);
    const blocks = Array.from({ length: 5 }, () => pool.acquire(1));
    for (const block of blocks) pool.release(block);
    assert.equal(pool.keptBytes, 2048);
    const large = new BlockPool();
    large.release(large.acquire(100_000));
    assert.equal(large.keptBytes, 0);
  });
});
