import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type JsonRules, problemOfJson } from "./json-check.ts";

/** With other bytes around, which must not be looked at. */
function problemOf(text: string | Buffer, rules: Partial<JsonRules> = {}): string | undefined {
  const content = Buffer.from(text as string);
  for (const around of ["", '"}],:0', " "]) {
    const bytes = Buffer.concat([Buffer.from(around), content, Buffer.from(around)]);
    const from = around.length;
    const problem = problemOfJson(bytes, from, from + content.length, { maxValues: 1000, rounded: false, ...rules });
    if (around === " ") return problem?.detail;
    const alone = problemOfJson(content, 0, content.length, { maxValues: 1000, rounded: false, ...rules });
    assert.equal(problem?.detail, alone?.detail, `between ${around}`);
  }
  return undefined;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Pieces of JSON, put together in any way. */
const pieces = fc
  .array(
    fc.constantFrom(
      ...'{ } [ ] , : " \\ / u 0 1 9 - + . e E true false null tru 00 \\u00e9 \\n "a" "key": -0 1.5 1e5 é \t \r \n 🦙 \u0001'.split(
        " ",
      ),
      " ",
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));
/** JSON with one place changed. */
const damaged = fc
  .tuple(fc.json({ stringUnit: "binary" }), fc.nat(), fc.constantFrom("", '"', "\\", ",", "]", "}", "x", "0", "\u0000"))
  .map(([text, place, piece]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + piece + text.slice(at + 1);
  });

describe("problemOfJson", () => {
  it("finds wrong what the parser finds wrong, and nothing else", () => {
    fc.assert(
      fc.property(fc.oneof(pieces, damaged, fc.json(), fc.string({ unit: "binary" })), (text) => {
        // Half of a surrogate pair has no UTF-8; what stands in its place is a letter like any other.
        const sound = Buffer.from(text).toString();
        const problem = problemOf(sound, { rounded: true });
        const isOurs = problem !== undefined && !problem.includes("not valid JSON");
        if (!isOurs) assert.equal(problem === undefined, parses(sound), `${problem}: ${sound}`);
      }),
      { numRuns: 5000 },
    );
  });

  it("says at which byte", () => {
    const places: readonly (readonly [text: string, at: number])[] = [
      ["", 0],
      ["x", 0],
      ["{", 1],
      ['{"a" 1}', 5],
      ['{"a":1,}', 7],
      ["[1,]", 3],
      ["[1 2]", 3],
      ["[1}", 2],
      ["1 2", 2],
      ["01", 0],
      ["1.", 2],
      ["1e+", 3],
      ["-", 1],
      ["nul", 3],
      ["nule", 3],
      ['"\t"', 1],
      ['"\\x"', 2],
      ['"\\u12g4"', 5],
      ['"abc', 4],
      [`"${"a".repeat(100)}`, 101],
      ["]", 0],
    ];
    for (const [text, at] of places) assert.equal(problemOf(text), `the text is not valid JSON at byte ${at}`, text);
  });

  it("steps over strings of every length", () => {
    for (const tail of ["", "\\\\", '\\"', '\\\\\\"', "\\u00e9", "é"]) {
      for (let size = 0; size < 140; size += 1) {
        const text = `"${"a".repeat(size)}${tail}"`;
        assert.equal(problemOf(`[${text},{${text}:${text}}]`), undefined, text);
        assert.match(problemOf(`[${text.slice(0, -1)}`) ?? "", /not valid JSON/, text);
      }
    }
  });

  it("counts every value, and no key", () => {
    for (const [text, values] of [
      ["1", 1],
      ["[ ]", 1],
      ['[1,null,"a"]', 4],
      ['{"a":{},"b":[true]}', 4],
      ["[{},{},[[]]]", 5],
    ] as const) {
      assert.equal(problemOf(text, { maxValues: values }), undefined, text);
      assert.match(problemOf(text, { maxValues: values - 1 }) ?? "", new RegExp(`more than ${values - 1} values`));
    }
  });

  it("refuses what is nested deeper than 64", () => {
    const nested = (depth: number): string => '{"a":['.repeat(depth / 2) + "]}".repeat(depth / 2);
    assert.equal(problemOf(nested(64)), undefined);
    assert.match(problemOf(nested(66)) ?? "", /nested deeper than 64/);
    assert.match(problemOf("[".repeat(100_000)) ?? "", /nested deeper than 64/);
  });

  it("refuses the key __proto__, however it is written, and nothing that is like it", () => {
    const all = Array.from("__proto__", (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`).join(
      "",
    );
    for (const key of [
      "__proto__",
      "\\u005f_proto__",
      "__pr\\u006fto__",
      all,
      all.toUpperCase().replaceAll("\\U", "\\u"),
    ]) {
      assert.equal(problemOf(`{"a":[{"${key}" :1}]}`), "a key is __proto__", key);
      assert.equal(problemOf(`{"a":"${key}"}`), undefined);
    }
    for (const key of ["__proto_", "__proto___", "_", "\\\\__proto__", "__PROTO__", ""])
      assert.equal(problemOf(`{"${key}":1}`), undefined);
  });

  it("refuses numbers that JavaScript does not have", () => {
    const other = [
      "9007199254740993",
      "-9007199254740993",
      "12345678901234567890",
      "1152921504606846977",
      "1e400",
      "-1E400",
      "1e-400",
      "0.1e-400",
      `1${"0".repeat(400)}`,
      `0.${"0".repeat(400)}1`,
    ];
    const same = [
      "9007199254740991",
      "9007199254740992",
      "1152921504606846976",
      String(2 ** 60),
      "100000000000000000000",
      "0000000000000000".slice(0, 1),
      "-0",
      "1.0",
      "0e999",
      "0.0e-999",
      "1e22",
      "1.7976931348623157e308",
      "5e-324",
      "0.10000000000000000555",
    ];
    for (const text of other) {
      assert.match(problemOf(`[${text}]`) ?? "", /the number .* would be .* here/, text);
      assert.equal(problemOf(`[${text}]`, { rounded: true }), undefined);
    }
    for (const text of same) assert.equal(problemOf(`{"a":${text} }`), undefined, text);
    assert.ok((problemOf("9".repeat(100_000)) ?? "").length < 200);
  });

  it("takes every number that JavaScript writes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger()), (number) => {
        assert.equal(problemOf(JSON.stringify(number)), undefined);
      }),
      { numRuns: 2000 },
    );
  });
});
