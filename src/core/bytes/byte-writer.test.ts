import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BlockPool } from "./block-pool.ts";
import { ByteWriter, REFERENCE_BYTES } from "./byte-writer.ts";

function append(writer: ByteWriter, bytes: Uint8Array): void {
  writer.append(bytes, 0, bytes.length);
}

describe("ByteWriter", () => {
  it("gathers small pieces in one chunk", () => {
    const writer = new ByteWriter();
    for (const word of ["uno", "", "dos"]) append(writer, Buffer.from(word));
    writer.byte(0x21);
    assert.equal(writer.length, 7);
    const written = writer.take();
    assert.deepEqual(written.chunks.map(String), ["unodos!"]);
    assert.equal(written.length, 7);
    assert.deepEqual([writer.length, writer.take().chunks], [0, []]);
  });

  it("copies small input, and passes large input on by reference", () => {
    const writer = new ByteWriter();
    const small = Buffer.alloc(REFERENCE_BYTES - 1, 1);
    const large = Buffer.alloc(REFERENCE_BYTES, 2);
    append(writer, small);
    assert.equal(writer.referencedBytes, 0);
    append(writer, large);
    assert.equal(writer.referencedBytes, REFERENCE_BYTES);
    append(writer, small);
    small.fill(0);
    const { chunks } = writer.take();
    assert.deepEqual(
      chunks.map(({ length }) => length),
      [REFERENCE_BYTES - 1, REFERENCE_BYTES, REFERENCE_BYTES - 1],
    );
    assert.equal(chunks[1]?.buffer, large.buffer);
    assert.ok(chunks[0]?.every((byte) => byte === 1) && chunks[2]?.every((byte) => byte === 1));
  });

  it("writes a range of any Uint8Array", () => {
    const writer = new ByteWriter();
    const source = new Uint8Array(REFERENCE_BYTES * 2).map((_, index) => index % 251);
    const ranges = [
      [3, 5],
      [0, 20],
      [7, 107],
      [100, 100 + REFERENCE_BYTES],
    ] as const;
    for (const [start, end] of ranges) writer.append(source, start, end);
    assert.deepEqual(
      Buffer.concat(writer.take().chunks),
      Buffer.concat(ranges.map(([from, to]) => source.subarray(from, to))),
    );
  });

  it("begins small and grows; remembers how much the last write needed", () => {
    const sizes: number[] = [];
    const pool = new BlockPool();
    const acquire = pool.acquire.bind(pool);
    pool.acquire = (bytes) => {
      const block = acquire(bytes);
      sizes.push(block.length);
      return block;
    };
    const writer = new ByteWriter(pool);
    for (let times = 0; times < 100; times += 1) append(writer, Buffer.alloc(1000));
    assert.deepEqual(sizes, [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]);
    writer.take().release();
    append(writer, Buffer.alloc(1));
    assert.equal(sizes.at(-1), 65_536);
    writer.take().release();
    append(writer, Buffer.alloc(1));
    assert.equal(sizes.at(-1), 1024);
  });

  it("gives its blocks back once they are released, and not before", () => {
    const pool = new BlockPool();
    const writer = new ByteWriter(pool);
    append(writer, Buffer.from("uno"));
    const first = writer.take();
    append(writer, Buffer.from("dos"));
    const second = writer.take();
    assert.equal(String(first.chunks[0]), "uno");
    assert.equal(pool.keptBytes, 0);
    first.release();
    first.release();
    assert.equal(pool.keptBytes, 1024);
    append(writer, Buffer.from("tres"));
    assert.equal(pool.keptBytes, 0);
    assert.equal(String(second.chunks[0]), "dos");
  });

  it("reserves room in one piece, also more than a block has", () => {
    const writer = new ByteWriter();
    append(writer, Buffer.from("head"));
    writer.reserve(200_000);
    writer.block.fill(7, writer.at, writer.at + 200_000);
    writer.at += 200_000;
    const all = Buffer.concat(writer.take().chunks);
    assert.equal(all.length, 200_004);
    assert.ok(all.subarray(4).every((byte) => byte === 7));
  });

  it("reserving writes nothing", () => {
    const writer = new ByteWriter();
    writer.reserve(10);
    assert.equal(writer.length, 0);
    assert.deepEqual(writer.take().chunks, []);
    append(writer, Buffer.from("a"));
    writer.reserve(5000);
    assert.equal(writer.length, 1);
    assert.deepEqual(writer.take().chunks.map(String), ["a"]);
  });

  it("any pieces come out in order, and no chunk is empty", () => {
    const piece = fc
      .nat({ max: 20_000 })
      .chain((size) => fc.tuple(fc.constant(size), fc.nat({ max: 255 }), fc.boolean()));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const writer = new ByteWriter();
        const expected: Buffer[] = [];
        const actual: Uint8Array[] = [];
        for (const [size, fill, take] of pieces) {
          const bytes = Buffer.alloc(size, fill);
          append(writer, bytes);
          expected.push(bytes);
          if (!take) continue;
          const { chunks, length } = writer.take();
          assert.ok(chunks.every((chunk) => chunk.length > 0));
          assert.equal(
            length,
            chunks.reduce((sum, chunk) => sum + chunk.length, 0),
          );
          actual.push(...chunks);
        }
        assert.ok(Buffer.concat([...actual, ...writer.take().chunks]).equals(Buffer.concat(expected)));
      }),
    );
  });
});
