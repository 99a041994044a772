import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decoded, encoded } from "../../../testing/codec/check.ts";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { chain } from "../frame-codec.ts";
import { json } from "./json.ts";
import { lengthPrefix } from "../boundaries/length-prefix.ts";
import { lines } from "../boundaries/lines.ts";

const cycle: unknown[] = [];
cycle.push(cycle);
const sparse: unknown[] = [];
sparse.length = 1;
/** What `JSON.stringify` leaves out or changes, and what it throws at. */
const unsendable: readonly unknown[] = [
  undefined,
  [undefined],
  { a: undefined },
  sparse,
  () => 1,
  { f() {} },
  Symbol("s"),
  { [Symbol("s")]: 1 },
  1n,
  Number.NaN,
  [Number.POSITIVE_INFINITY],
  new Date(0),
  new Map([["a", 1]]),
  new Set([1]),
  new Uint8Array([1]),
  /x/,
  new Error("x"),
  Object(1),
  { toJSON: () => 1 },
  "half \ud83e",
  JSON.parse('{"__proto__":1}'),
  cycle,
];

for (const boundary of [lines({ maxLineBytes: 200_000 }), lengthPrefix()]) {
  codecSuite<unknown>(`chain(${boundary.name}, json())`, () => chain(boundary, json()), {
    messages: [null, 1, "line\nline\r", { a: [1, "ñandú", -0] }, [], "x".repeat(40_000), "日".repeat(30_000)],
    sized: (bytes) => "x".repeat(Math.max(0, bytes - 2)),
    unsendable: unsendable.map((message) => ({ message, code: "FRAME_INVALID" })),
  });
}

const ndjson = chain(lines(), json());
const received = (text: string | Buffer): ReturnType<typeof decoded> =>
  decoded(ndjson.createDecoder(), [Buffer.from(text)]);

describe("json", () => {
  it("refuses what is not JSON, and says where", () => {
    for (const [text, at] of [
      ["", 0],
      ["{", 1],
      ["{'a':1}", 1],
      ["01", 0],
      ["1 2", 2],
      ["undefined", 0],
      ["[1,]", 3],
      ['"\t"', 1],
      [`"${"a".repeat(80)}\t"`, undefined],
    ] as const) {
      const { error } = received(`${text}\n`);
      assert.equal(error?.code, "FRAME_INVALID", text);
      assert.match(
        error.detail,
        new RegExp(`json: the text is not valid JSON${at === undefined ? "" : ` at byte ${at}$`}`),
      );
    }
    assert.match(received(Buffer.from("22ff220a", "hex")).error?.detail ?? "", /not valid UTF-8/);
  });

  it("takes the last of two members with one name", () => {
    assert.deepEqual(received('{"a":1,"a":2}\n').messages, [{ a: 2 }]);
  });

  it("refuses what would change on the way, and what could harm whoever takes it", () => {
    for (const [text, problem] of [
      ['{"id":9007199254740993}', /the number 9007199254740993 would be 9007199254740992 here/],
      ["[1e400]", /would be Infinity/],
      ['{"__proto__":{"x":1}}', /a key is __proto__/],
      ["[".repeat(30_000) + "]".repeat(30_000), /nested deeper than 64/],
    ] as const) {
      const { error } = received(`${text}\n`);
      assert.equal(error?.code, "FRAME_INVALID");
      assert.match(error.detail, problem);
    }
  });

  it("rounds numbers when it is told to", () => {
    const codec = chain(lines(), json({ inexact: "round" }));
    const { messages } = decoded(codec.createDecoder(), [Buffer.from("[9007199254740993,1e400]\n")]);
    assert.deepEqual(messages, [[9007199254740992, Number.POSITIVE_INFINITY]]);
    assert.throws(() => json({ inexact: "never" as "round" }), { code: "OPTION_INVALID", detail: /inexact must be/ });
  });

  it("has a limit of values, both ways", () => {
    const codec = chain(lines(), json({ maxValues: 3 }));
    assert.deepEqual(decoded(codec.createDecoder(), [encoded(codec, [[1, 2]])]).messages, [[1, 2]]);
    assert.throws(() => encoded(codec, [[1, 2, 3]]), {
      code: "FRAME_TOO_LONG",
      side: "local",
      detail: /more than 3 values/,
    });
    const { error } = decoded(codec.createDecoder(), [Buffer.from("[[],{},[]]\n")]);
    assert.equal(error?.code, "FRAME_TOO_LONG");
    const many = Array.from({ length: 10_000 }, () => ({}));
    assert.throws(() => encoded(ndjson, [many]), { code: "FRAME_TOO_LONG" });
    assert.equal(received(`${JSON.stringify(many)}\n`).error?.code, "FRAME_TOO_LONG");
    for (const maxValues of [0, 1.5, Number.NaN, 2 ** 40, "9"]) {
      assert.throws(() => json({ maxValues: maxValues as number }), { code: "OPTION_INVALID", detail: /maxValues/ });
    }
  });

  it("calls no toJSON, and makes FRAME_INVALID of what a getter throws", () => {
    const cause = new Error("no");
    const message = {
      get a(): never {
        throw cause;
      },
    };
    assert.throws(() => encoded(ndjson, [message]), { code: "FRAME_INVALID", side: "local", cause });
    const hidden = Object.defineProperty({ a: 1 }, "toJSON", { value: () => 2 });
    assert.throws(() => encoded(ndjson, [hidden]), { code: "FRAME_INVALID", detail: /has a toJSON/ });
  });

  it("any JSON value arrives", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ stringUnit: "binary" })), (values) => {
        fc.pre(!JSON.stringify(values).includes("__proto__"));
        const codec = chain(lines(), json({ maxValues: 100_000 }));
        const expected = { messages: values, error: undefined };
        assert.deepEqual(decoded(codec.createDecoder(), [encoded(codec, values)]), expected);
      }),
    );
  });
});
