import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertSame } from "./check.ts";

describe("assertSame", () => {
  const message = (actual: readonly unknown[], expected: readonly unknown[], note?: string): string => {
    try {
      assertSame(actual, expected, note);
    } catch (error) {
      assert.ok(error instanceof assert.AssertionError);
      return error.message;
    }
    return "none";
  };

  it("takes bytes of any kind, and compares the rest strictly", () => {
    assert.equal(message([Buffer.from("a"), { a: [1] }], [new Uint8Array([0x61]), { a: [1] }]), "none");
    assert.equal(message(["1"], [1]), 'message 0 of 1 differs: "1" instead of 1');
  });

  it("shows the first difference only, in a short line", () => {
    assert.equal(
      message([Buffer.alloc(40_000, 1)], [Buffer.alloc(40_000)]),
      "message 0 of 1 differs: 40000 bytes instead of 40000, byte 0 is 1 instead of 0",
    );
    assert.ok(message(["a", "x".repeat(60_000)], ["a", "y".repeat(60_000)]).length < 500);
    assert.ok(message([{ bytes: Buffer.alloc(40_000, 1) }], [{ bytes: Buffer.alloc(40_000) }]).length < 500);
  });

  it("says when there are too few messages or too many", () => {
    assert.equal(message(["a"], ["a", "b"], "seed 1"), "seed 1: 1 messages instead of 2");
    assert.equal(message(["a", "b"], ["a"]), "2 messages instead of 1");
  });
});
