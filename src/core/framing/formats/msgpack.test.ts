import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decoded, encoded } from "../../../testing/codec/check.ts";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { lengthPrefix } from "../boundaries/length-prefix.ts";
import { chain } from "../frame-codec.ts";
import { MESSAGEPACK_KINDS, msgpack } from "./msgpack.ts";
import { PlainValue } from "./plain-value.ts";

const codec = chain(lengthPrefix(), msgpack());
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(" ", ""), "hex");

function framed(digits: string): Buffer {
  const content = hex(digits);
  return Buffer.concat([Buffer.from([0, 0, 0, content.length]), content]);
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const sparse: unknown[] = [1];
sparse.length = 2;
const cycle: unknown[] = [];
cycle.push(cycle);
const proto = JSON.parse('{"__proto__":1}') as unknown;

codecSuite<unknown>("chain(lengthPrefix(), msgpack())", () => codec, {
  messages: [
    null,
    true,
    0,
    -0,
    [-0, { a: -0, b: [{}, "c", new Date(0), new Uint8Array(2)] }],
    Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key${index}`, -0])),
    Array.from({ length: 300 }, () => -0),
    -1,
    127,
    128,
    -33,
    2 ** 31,
    Number.MAX_SAFE_INTEGER,
    -Number.MAX_SAFE_INTEGER,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "",
    "ñandú 🦙",
    "x".repeat(300),
    "é".repeat(40_000),
    new Uint8Array([1, 2, 3]),
    new Uint8Array(300),
    [],
    [1, [2, [3]]],
    {},
    { "": 0, a: { b: [null, "c"] }, constructor: 1, hasOwnProperty: 2, toJSON: 3, length: 4 },
    Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key${index}`, index])),
    new Date(0),
    new Date(1_700_000_000_123),
    new Date(-1),
    new Date(8_640_000_000_000_000),
    nested(64),
  ],
  sized: (bytes) => "x".repeat(bytes),
  vectors: [
    // The example on the first page of https://msgpack.org
    { message: { compact: true, schema: 0 }, wire: framed("82 a7636f6d70616374 c3 a6736368656d61 00") },
    { message: new Uint8Array([255]), wire: framed("c401ff") },
    { message: new Date(1000), wire: framed("d6ff00000001") },
  ],
  accepts: [
    // Numbers in forms that nobody here writes.
    { wire: framed("cf0000000000000001"), messages: [1] },
    { wire: framed("cf001fffffffffffff"), messages: [Number.MAX_SAFE_INTEGER] },
    { wire: framed("d3ffe0000000000001"), messages: [-Number.MAX_SAFE_INTEGER] },
    { wire: framed("d3ffffffffffffffff"), messages: [-1] },
    { wire: framed("ca3fc00000"), messages: [1.5] },
    { wire: framed("db0000000161"), messages: ["a"] },
    { wire: framed("dc000101"), messages: [[1]] },
    { wire: framed("df00000001d9016101"), messages: [{ a: 1 }] },
    { wire: framed("c70cff 00000000 ffffffffffffffff"), messages: [new Date(-1000)] },
    { wire: framed("82a16101a16102"), messages: [{ a: 2 }] },
  ],
  refuses: [
    "", // no value
    "0000", // two values
    "c1",
    "91", // an array without its element
    "dd ffffffff 00", // four thousand million elements
    "df ffffffff a161 00",
    "c6 ffffffff 00",
    "db ffffffff 61",
    "a161a162", // bytes behind the value
    "81 01 02", // a key that is a number
    "81 80 02",
    "81 a95f5f70726f746f5f5f 01", // __proto__
    "81 d9095f5f70726f746f5f5f 01",
    "a1ff", // invalid UTF-8
    "81 a1ff 01",
    "cf0020000000000000", // 2^53
    "cfffffffffffffffff",
    "d3ffe0000000000000",
    "d38000000000000000",
    "d40000", // undefined, by msgpackr and others
    "d5720040", // a record of msgpackr
    "c70162ff",
    "d6fe00000001", // another extension
    "c702ff0000", // a timestamp of a length that there is not
    "d7ff fffffffc 00000000", // too many nanoseconds
    "c70cff 3b9aca00 0000000000000000",
    "c70cff 00000000 7fffffffffffffff", // beyond what a Date can hold
    `${"91".repeat(65)}01`,
  ].map((digits) => ({ wire: framed(digits), code: "FRAME_INVALID" as const })),
  unsendable: [
    undefined,
    [undefined],
    { a: undefined },
    sparse,
    1n,
    Symbol("s"),
    () => 1,
    new Map(),
    new Set(),
    /x/,
    new Error("x"),
    new Uint16Array(1),
    new ArrayBuffer(1),
    new Date(Number.NaN),
    new URL("tcp://x"),
    Object.create({ inherited: 1 }) as unknown,
    "half \ud83e",
    { "half \ud83e": 1 },
    proto,
    nested(65),
    cycle,
    Object.create(Uint8Array.prototype) as unknown,
    Object.create(Date.prototype) as unknown,
    new (class extends Date {})(),
    { [Symbol("s")]: 1 },
    Object.defineProperty({ a: 1 }, "toJSON", { value: () => 2 }),
  ].map((message) => ({ message, code: "FRAME_INVALID" as const })),
});

describe("msgpack", () => {
  it("gives bytes that belong to the receiver", () => {
    const wire = encoded(codec, [new Uint8Array([1, 2, 3])]);
    const { messages } = decoded(codec.createDecoder(), [wire]);
    wire.fill(0xee);
    assert.deepEqual(messages, [new Uint8Array([1, 2, 3])]);
  });

  it("makes FRAME_INVALID of what a getter of the message throws", () => {
    const cause = new Error("no");
    const message = {
      get a(): never {
        throw cause;
      },
    };
    assert.throws(() => encoded(codec, [message]), { code: "FRAME_INVALID", side: "local", cause });
  });

  it("has a limit of values, both ways", () => {
    const few = chain(lengthPrefix(), msgpack({ maxValues: 3 }));
    assert.deepEqual(decoded(few.createDecoder(), [encoded(few, [[1, 2]])]).messages, [[1, 2]]);
    assert.throws(() => encoded(few, [[1, 2, 3]]), {
      code: "FRAME_TOO_LONG",
      side: "local",
      detail: /more than 3 values/,
    });
    assert.equal(decoded(few.createDecoder(), [framed("93808080")]).error?.code, "FRAME_TOO_LONG");
    const many = Buffer.concat([hex("000c3505 dd 000c3500"), Buffer.alloc(800_000, 0x80)]);
    assert.equal(decoded(codec.createDecoder(), [many]).error?.code, "FRAME_TOO_LONG");
    for (const maxValues of [0, 1.5, Number.NaN, 2 ** 40, "9"]) {
      assert.throws(() => msgpack({ maxValues: maxValues as number }), { code: "OPTION_INVALID", detail: /maxValues/ });
    }
  });

  it("takes objects without a prototype", () => {
    const message = Object.assign(Object.create(null) as object, { a: 1 });
    assert.deepEqual(decoded(codec.createDecoder(), [encoded(codec, [message])]).messages, [{ a: 1 }]);
  });

  it("generates no code, and leaves nothing on the bytes that it is given", () => {
    const wire = encoded(codec, [{ a: 1, b: 2 }]);
    const { Function: original } = globalThis;
    let made = 0;
    globalThis.Function = new Proxy(original, {
      construct: () => {
        made += 1;
        throw new Error("code was generated");
      },
    });
    try {
      for (let times = 0; times < 20; times += 1) decoded(codec.createDecoder(), [wire]);
    } finally {
      globalThis.Function = original;
    }
    assert.equal(made, 0);
    assert.deepEqual(
      Object.keys(wire).filter((key) => !/^\d/.test(key)),
      [],
    );
  });

  it("any value that may be sent arrives as it was", () => {
    const text = fc.string({ unit: "grapheme" }).filter((one) => one !== "__proto__");
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constant(null),
        fc.boolean(),
        fc.integer(),
        fc.maxSafeInteger(),
        fc.double(),
        text,
        fc.uint8Array(),
        fc.date({ noInvalidDate: true }),
        fc.array(tie("value"), { maxLength: 20 }),
        fc.dictionary(text, tie("value"), { maxKeys: 20, noNullPrototype: true }),
      ),
    })).value;
    fc.assert(
      fc.property(value, (message) => {
        assert.deepEqual(decoded(codec.createDecoder(), [encoded(codec, [message])]), {
          messages: [message],
          error: undefined,
        });
      }),
      { numRuns: 500 },
    );
  });

  it("any bytes give a value that can be sent again, or FRAME_INVALID", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const wire = Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
        const { messages, error } = decoded(codec.createDecoder(), [wire]);
        if (error === undefined)
          assert.equal(decoded(codec.createDecoder(), [encoded(codec, messages)]).messages.length, 1);
        else assert.equal(error.code, "FRAME_INVALID");
      }),
      { numRuns: 2000 },
    );
  });
});

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
