import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkSendable } from "./msgpack-sendable.ts";

describe("checkSendable", () => {
  it("says what is wrong, wherever it stands", () => {
    const problems: readonly (readonly [value: unknown, detail: RegExp])[] = [
      [undefined, /of type undefined/],
      [1n, /of type bigint/],
      [() => 1, /of type function/],
      [new Map(), /of class Map/],
      [new Set(), /of class Set/],
      [new Date(Number.NaN), /a date is not valid/],
      ["\udc00", /half of a surrogate pair/],
      [{ "\ud800": 1 }, /a key has half of a surrogate pair/],
      [JSON.parse('{"__proto__":1}'), /__proto__/],
    ];
    for (const [value, detail] of problems) {
      for (const message of [value, [1, value], { a: { b: value } }]) {
        assert.throws(() => checkSendable("msgpack", message), { code: "FRAME_INVALID", side: "local", detail });
      }
    }
  });

  it("accepts what has one form", () => {
    for (const value of [null, false, -0, Number.NaN, "", Buffer.from("x"), new Date(0), [], {}, Object.create(null)]) {
      checkSendable("msgpack", value);
    }
  });

  it("finds a cycle by its depth", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = { inner: [cycle] };
    assert.throws(() => checkSendable("msgpack", cycle), { detail: /nested deeper than 64, or in itself/ });
  });
});
