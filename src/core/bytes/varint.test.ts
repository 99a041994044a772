import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { varintBytes, writeVarint } from "./varint.ts";

function written(value: number): string {
  const bytes = Buffer.alloc(10, 0xee);
  const end = writeVarint(bytes, 1, value);
  assert.equal(end, 1 + varintBytes(value));
  return bytes.toString("hex", 1, end);
}

describe("varints", () => {
  it("are those of protocol buffers", () => {
    // 1, 150 and 300: https://protobuf.dev/programming-guides/encoding/#varints
    const vectors = {
      0: "00",
      1: "01",
      127: "7f",
      128: "8001",
      150: "9601",
      300: "ac02",
      16_383: "ff7f",
      16_384: "808001",
    };
    for (const [value, digits] of Object.entries(vectors)) assert.equal(written(Number(value)), digits);
    assert.equal(written(0xffff_ffff), "ffffffff0f");
    assert.equal(written(Number.MAX_SAFE_INTEGER), "ffffffffffffff0f");
  });

  it("give back any whole number, as big integers compute it", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        let result = 0n;
        for (const [index, byte] of [...Buffer.from(written(value), "hex")].entries()) {
          result |= BigInt(byte & 0x7f) << BigInt(7 * index);
        }
        assert.equal(result, BigInt(value));
      }),
    );
  });
});
