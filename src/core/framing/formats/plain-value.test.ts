import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PlainValue } from "./plain-value.ts";

const problemOf = (value: unknown, maxValues = 1000): string | undefined =>
  new PlainValue({ allNumbers: false }, maxValues).problemOf(value)?.detail;

const own = (key: PropertyKey, descriptor: PropertyDescriptor): object =>
  Object.defineProperty({ a: 1 }, key, descriptor);
const sparse: unknown[] = [1];
sparse.length = 3;

/** What would arrive as something else, and what is said of it. */
const REFUSED: readonly (readonly [value: unknown, problem: RegExp])[] = [
  [undefined, /is of type undefined, which has no form/],
  [() => 1, /is of type function/],
  [URL, /is of type function/],
  [Symbol("s"), /is of type symbol/],
  [1n, /is of type bigint/],
  [Number.NaN, /is NaN, which has no form/],
  [Number.NEGATIVE_INFINITY, /is -Infinity/],
  ["half \ud83e", /has half of a surrogate pair/],
  [{ "\udc00": 1 }, /has a key with half of a surrogate pair/],
  [JSON.parse('{"__proto__":1}'), /has a key that no object can have/],
  [{ [Symbol("s")]: 1 }, /has a symbol as a key/],
  [new Map(), /is of class Map/],
  [new Set([1]), /is of class Set/],
  [new Date(0), /is of class Date/],
  [new Uint8Array(1), /is of class Uint8Array/],
  [Buffer.from("x"), /is of class Buffer/],
  [/x/, /is of class RegExp/],
  [new Error("x"), /is of class Error/],
  [Promise.resolve(1), /is of class Promise/],
  [new URL("tcp://x"), /is of class URL/],
  [Object(1), /is of class Number/],
  [Object("text"), /is of class String/],
  [new (class extends Array<number> {})(), /is of/],
  [Object.create({ inherited: 1 }), /is of class Object/],
  [Object.create(Object.create(null) as object), /is of some class/],
  [{ toJSON: () => 1 }, /has a toJSON/],
  [own("toJSON", { value: () => 1 }), /has a toJSON/],
  [Object.assign([1], { toJSON: () => 1 }), /has a toJSON/],
];

describe("PlainValue", () => {
  it("says what is wrong, and where", () => {
    for (const [value, problem] of REFUSED) {
      for (const [message, place] of [
        [value, "value"],
        [[1, value], "value[1]"],
        [{ a: 1, b: [{ c: value }] }, "value.b[0].c"],
      ] as const) {
        const detail = problemOf(message) ?? "";
        assert.match(detail, new RegExp(`^a part of the message ${problem.source}`));
        assert.ok(detail.endsWith(` (${place})`), detail);
      }
    }
    assert.match(problemOf(sparse) ?? "", /is of type undefined.*\(value\[1\]\)$/);
  });

  it("writes a place as JavaScript does, and no longer than a line", () => {
    const detail = problemOf({ ñandú$1: { "two words": { "": [1n] } } }) ?? "";
    assert.ok(detail.endsWith('(value.ñandú$1["two words"][""][0])'), detail);
    assert.match(problemOf({ ["x".repeat(1000)]: 1n }) ?? "", /\(value\["x{40}"\]\)$/);
  });

  it("takes what has one form", () => {
    const members = own("hidden", { value: () => 1, enumerable: false });
    const values = [
      null,
      false,
      0,
      -0,
      1e300,
      "",
      "🦙",
      [],
      {},
      Object.create(null),
      { toJSON: 1, constructor: 2 },
      members,
    ];
    for (const value of values) assert.equal(problemOf(value), undefined);
  });

  it("finds a cycle, and what is too deep", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = { inner: [cycle] };
    assert.match(problemOf(cycle) ?? "", /is nested deeper than 64, or in itself/);
    let nested: unknown = 1;
    for (let depth = 0; depth < 64; depth += 1) nested = [nested];
    assert.equal(problemOf(nested), undefined);
    assert.match(problemOf([nested]) ?? "", /is nested deeper than 64/);
  });

  it("counts every value, and no key", () => {
    for (const [value, values] of [
      [1, 1],
      [[], 1],
      [[1, null, "a"], 4],
      [{ a: {}, b: [true] }, 4],
    ] as const) {
      assert.equal(problemOf(value, values), undefined);
      const problem = new PlainValue({ allNumbers: true }, values - 1).problemOf(value);
      assert.equal(problem?.code, "FRAME_TOO_LONG");
      assert.match(problem.detail, new RegExp(`more than ${values - 1} values`));
    }
  });

  it("stops at the most values, also where one object stands in many places", () => {
    let shared: unknown = [];
    for (let depth = 0; depth < 60; depth += 1) shared = [shared, shared];
    assert.match(problemOf(shared) ?? "", /more than 1000 values/);
  });

  it("tells whether there is a -0", () => {
    for (const [value, expected] of [
      [[0, { a: -0 }], true],
      [[0, { a: 0 }], false],
    ] as const) {
      const plain = new PlainValue({ allNumbers: false }, 10);
      assert.equal(plain.problemOf(value), undefined);
      assert.equal(plain.hasNegativeZero, expected);
    }
  });
});
