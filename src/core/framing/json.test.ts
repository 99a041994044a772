import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decoded, encoded } from "../../testing/codec-check.ts";
import { codecSuite } from "../../testing/codec-suite.ts";
import { chain } from "./chain.ts";
import { json } from "./json.ts";
import { lengthPrefix } from "./length-prefix.ts";
import { lines } from "./lines.ts";

const cycle: unknown[] = [];
cycle.push(cycle);

for (const boundary of [lines({ maxLineBytes: 200_000 }), lengthPrefix()]) {
  codecSuite<unknown>(`chain(${boundary.name}, json())`, () => chain(boundary, json()), {
    messages: [null, 1, "line\nline\r", { a: [1, "ñandú", "\ud83e"] }, [], "x".repeat(40_000), "日".repeat(30_000)],
    sized: (bytes) => "x".repeat(Math.max(0, bytes - 2)),
    unsendable: [undefined, () => 1, 1n, cycle].map((message) => ({ message, code: "FRAME_INVALID" })),
  });
}

const ndjson = chain(lines(), json());
const received = (text: string | Buffer): ReturnType<typeof decoded> =>
  decoded(ndjson.createDecoder(), [Buffer.from(text)]);

describe("json", () => {
  it("refuses what is not JSON, and says where", () => {
    for (const text of ["", "{", "{'a':1}", "01", "1 2", "undefined", "[1,]", '"\t"']) {
      const { error } = received(`${text}\n`);
      assert.equal(error?.code, "FRAME_INVALID", text);
      assert.ok(error?.cause instanceof SyntaxError);
    }
    assert.match(received(Buffer.from("22ff220a", "hex")).error?.detail ?? "", /not valid UTF-8/);
  });

  it("takes the last of two members with one name, and keeps __proto__ an ordinary one", () => {
    assert.deepEqual(received('{"a":1,"a":2}\n').messages, [{ a: 2 }]);
    const [value] = received('{"__proto__":{"x":1}}\n').messages;
    assert.deepEqual(Object.keys(value as object), ["__proto__"]);
    assert.equal((value as { x?: number }).x, undefined);
  });

  it("survives nesting that would break a recursive reader", () => {
    const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}\n`;
    assert.equal(received(deep).error, undefined);
  });

  it("any JSON value arrives", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ stringUnit: "binary" })), (values) => {
        const expected = values.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
        assert.deepEqual(decoded(ndjson.createDecoder(), [encoded(ndjson, values)]), {
          messages: expected,
          error: undefined,
        });
      }),
    );
  });
});
