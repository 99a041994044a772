import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { UsageError } from "../errors.ts";
import { type AddressParams, checkParams, formatParams, NO_PARAMS, parseParams } from "./parts.ts";
import { failure } from "./problem.ts";

const fail = failure("test", "input");

function parse(query: string | undefined): AddressParams {
  return parseParams(query, fail);
}

function check(params: unknown): AddressParams {
  return checkParams(params as AddressParams, fail);
}

describe("parseParams()", () => {
  it("decodes, and sorts by name", () => {
    const params = parse("ttl=2&interface=lo&note=a%20b%26c=d+e&flag");
    assert.deepEqual(params, { flag: "", interface: "lo", note: "a b&c=d+e", ttl: "2" });
    assert.deepEqual(Object.keys(params), ["flag", "interface", "note", "ttl"]);
    assert.ok(Object.isFrozen(params));
    assert.equal(formatParams(params), "?flag=&interface=lo&note=a%20b%26c%3Dd%2Be&ttl=2");
  });

  it("takes any name for what it is", () => {
    assert.deepEqual(Object.entries(parse("__proto__=x&constructor=y")), [
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  it("gives one shared object where there are none", () => {
    assert.equal(parse(undefined), NO_PARAMS);
    assert.equal(check(undefined), NO_PARAMS);
    assert.equal(check({}), NO_PARAMS);
    assert.equal(formatParams(NO_PARAMS), "");
    assert.ok(Object.isFrozen(NO_PARAMS));
  });

  it("refuses what is wrong", () => {
    const cases: [query: string, begins: string][] = [
      ["", "parameter has no name; write ?name=value"],
      ["=v", "parameter has no name"],
      ["a=1&&b=2", "parameter has no name"],
      ["a=1&b=2&a=1", 'parameter "a" is given twice'],
      ["a=1&%61=2", 'parameter "a" is given twice'],
      ["a=%zz", 'parameter "%zz" has a wrong percent-encoding'],
      ["%ff=1", 'parameter "%ff" has a wrong percent-encoding'],
      ["a=\ud800", 'parameter "a" is not valid Unicode'],
    ];
    for (const [query, begins] of cases) {
      assert.throws(
        () => parse(query),
        (error: unknown) => error instanceof UsageError && error.detail.startsWith(begins),
        query,
      );
    }
  });
});

describe("checkParams()", () => {
  it("refuses what is not an object of texts", () => {
    for (const params of [null, 7, "k=v", { k: 7 }, { "": "v" }, { k: "\udfff" }, { k: undefined }]) {
      assert.throws(() => check(params), { code: "ADDRESS_INVALID" });
    }
  });

  it("and formatParams() are undone by parseParams()", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: "grapheme" }), { minKeys: 1 }), (given) => {
        const params = check(given);
        assert.deepEqual(parse(formatParams(params).slice(1)), params);
        assert.deepEqual(new Map(Object.entries(params)), new Map(Object.entries(given)));
      }),
    );
  });
});
