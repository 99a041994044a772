import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MESSAGEPACK_KINDS } from "./msgpack-sendable.ts";
import { PlainValue } from "./plain-value.ts";

const problemOf = (value: unknown): string | undefined =>
  new PlainValue(MESSAGEPACK_KINDS, 100).problemOf(value)?.detail;

describe("MESSAGEPACK_KINDS", () => {
  it("has every number, bytes and dates", () => {
    for (const value of [Number.NaN, -Infinity, -0, Buffer.from("x"), new Uint8Array(1), new Date(0)]) {
      assert.equal(problemOf(value), undefined);
      assert.equal(problemOf({ a: [value] }), undefined);
    }
  });

  it("has nothing that only looks like them", () => {
    class Moment extends Date {}
    assert.equal(problemOf(new Date(Number.NaN)), "a part of the message is a date that is not valid (value)");
    assert.equal(
      problemOf([new Moment()]),
      "a part of the message is of class Moment; send plain objects and arrays (value[0])",
    );
    for (const value of [
      new Uint16Array(1),
      new Uint8ClampedArray(1),
      new DataView(new ArrayBuffer(1)),
      new ArrayBuffer(1),
    ]) {
      assert.match(problemOf(value) ?? "", /is of class/);
    }
  });
});
