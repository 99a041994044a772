import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AddressProof, COOKIE_PERIOD_MS } from "./address-proof.ts";

const SECRET = Buffer.alloc(32, 5);
const ANA = "udp://192.0.2.1:4000";

test("a cookie proves the address that it was given to, for one period at least and two at most", () => {
  const proof = new AddressProof(SECRET);
  fc.assert(
    fc.property(fc.nat(1e12), fc.nat(3 * COOKIE_PERIOD_MS), (givenAt, ageMs) => {
      const cookie = proof.cookie(ANA, givenAt);
      const periods = Math.floor((givenAt + ageMs) / COOKIE_PERIOD_MS) - Math.floor(givenAt / COOKIE_PERIOD_MS);
      assert.equal(proof.proves(ANA, cookie, givenAt + ageMs), periods <= 1);
    }),
  );
});

test("it proves no other address, no other port, nothing at another process, and nothing after 256 periods", () => {
  const proof = new AddressProof(SECRET);
  const cookie = proof.cookie(ANA, 0);
  assert.ok(proof.proves(ANA, cookie, 0));
  assert.ok(!proof.proves("udp://192.0.2.2:4000", cookie, 0));
  assert.ok(!proof.proves("udp://192.0.2.1:4001", cookie, 0));
  assert.ok(!new AddressProof(Buffer.alloc(32, 6)).proves(ANA, cookie, 0));
  assert.ok(!proof.proves(ANA, cookie, 256 * COOKIE_PERIOD_MS));
});

test("no cookie with one other bit, no shorter and no longer one proves anything", () => {
  const proof = new AddressProof(SECRET);
  const cookie = proof.cookie(ANA, 0);
  assert.equal(cookie.length, 16);
  for (let bit = 0; bit < cookie.length * 8; bit += 1) {
    const forged = Buffer.from(cookie);
    forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.ok(!proof.proves(ANA, forged, 0), `bit ${bit}`);
  }
  for (const other of [cookie.subarray(0, 15), Buffer.concat([cookie, Buffer.alloc(1)]), Buffer.alloc(0)]) {
    assert.ok(!proof.proves(ANA, other, 0));
  }
});
