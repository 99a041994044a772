import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { hmacSha256, sha256 } from "./sha-256.ts";

const digits = (hash: string): string => Buffer.from(hash, "base64url").toString("hex");

test("sha256 answers the examples of FIPS 180-4", () => {
  assert.equal(digits(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(digits(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("sha256 agrees with the implementation of the runtime at every length around a block", () => {
  for (let length = 0; length < 200; length += 1) {
    const text = "a\u00f1b".repeat(100).slice(0, length);
    assert.equal(sha256(text), createHash("sha256").update(text).digest("base64url"), `length ${length}`);
  }
});

test("a keyed hash is that of the system, for keys and messages of any length up to a block", () => {
  for (const length of [0, 1, 31, 32, 63, 64]) {
    const key = Buffer.alloc(length, length + 1);
    const message = Buffer.from("what do ya want for nothing?".repeat(length % 4));
    assert.deepEqual(hmacSha256(key, message), createHmac("sha256", key).update(message).digest());
  }
});
