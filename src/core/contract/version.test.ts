import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ZocaloError } from "../errors.ts";
import { compareVersions, compatibleRange, describeRange, inRange, isVersion } from "./version.ts";

// The example of Semantic Versioning, clause 11.
const ORDERED =
  "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2.0 1.10.0 2.0.0".split(
    " ",
  );

test("versions are ordered as clause 11 says", () => {
  for (const [left, a] of ORDERED.entries()) {
    for (const [right, b] of ORDERED.entries()) {
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(left - right), `${a} and ${b}`);
    }
  }
});

test("what is not a version is refused", () => {
  for (const text of ["", "1", "1.2", "01.2.3", "1.2.3.4", "v1.2.3", "1.2.3-", "1.2.3-01", "1.2.3+build", " 1.2.3"]) {
    assert.equal(isVersion(text), false, text);
  }
  assert.throws(
    () => compatibleRange("1.x"),
    (error) => error instanceof ZocaloError && error.code === "OPTION_INVALID",
  );
});

test("the major version must be the same, below 1.0.0 the minor version", () => {
  assert.deepEqual(compatibleRange("1.4.2"), { from: "1.0.0", below: "2.0.0" });
  assert.deepEqual(compatibleRange("0.3.1"), { from: "0.3.0", below: "0.4.0" });
  assert.deepEqual(compatibleRange("2.0.0-beta.2"), { from: "2.0.0-beta.2", below: "3.0.0" });
  assert.equal(inRange("1.9.9", compatibleRange("1.0.0")), true);
  assert.equal(inRange("2.0.0", compatibleRange("1.0.0")), false);
});

test("a range is described in few words", () => {
  assert.equal(describeRange(compatibleRange("2.1.0")), "2.x");
  assert.equal(describeRange(compatibleRange("0.3.4")), "0.3.x");
  assert.equal(describeRange({ from: "1.2.0", below: "3.0.0" }), "1.2.0 up to, not including, 3.0.0");
});

test("every version is in the range that it accepts", () => {
  const version = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)).map((numbers) => numbers.join("."));
  fc.assert(fc.property(version, (text) => inRange(text, compatibleRange(text))));
});
