import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Address } from "./address.ts";
import { compareAddresses } from "./compare.ts";

describe("compareAddresses()", () => {
  const sorted = [
    "tcp://9.0.0.1:80",
    "tcp://10.0.0.9:80",
    "tcp://10.0.0.10:9",
    "tcp://10.0.0.10:80",
    "udp://10.0.0.10:80",
    "udp://10.0.0.10:80?k=v",
    "tcp://[::1]:80",
    "tcp://[::ffff:10.0.0.1]:80",
    "tcp://[2:1::]:80",
    "tcp://[10::]:80",
    "tcp://[fe80::1%25a]:80",
    "tcp://[fe80::1%25b]:80",
    "tcp://a.example:80",
    "tcp://b.example:80",
    "unix:@z",
    "unix:/a",
    "unix:/b",
  ].map((text) => Address.parse(text));

  it("sorts by family, number, port, path and text", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(sorted, { minLength: sorted.length }), (shuffled) => {
        assert.deepEqual([...shuffled].sort(compareAddresses).map(String), sorted.map(String));
      }),
    );
  });

  it("is 0 exactly for equal addresses, and antisymmetric", () => {
    for (const a of sorted) {
      for (const b of sorted) {
        assert.equal(compareAddresses(a, b) === 0, a.equals(b));
        assert.equal(Math.sign(compareAddresses(a, b)) + Math.sign(compareAddresses(b, a)), 0);
      }
    }
  });
});
