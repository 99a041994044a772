import assert from "node:assert/strict";
import { test } from "node:test";
import { RandomStream } from "../../core/faults/random-stream.ts";
import { covers, freePort, place, type Standing, sourceFor } from "./ports.ts";

const addresses = ["192.0.2.1", "2001:db8::1"];
const random = new RandomStream(1, "ports");
const at = (ip: string, port: number, more: Partial<Standing> = {}): Standing => {
  return { local: { ip, port }, dual: true, shared: false, ...more };
};

test("addresses that are taken, foreign, shared", () => {
  const taken = (asked: Standing, other: Standing): string => {
    try {
      place(asked, [other], addresses, random);
      return "free";
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(taken(at("192.0.2.1", 80), at("192.0.2.1", 80)), "ADDRESS_IN_USE");
  assert.equal(taken(at("192.0.2.1", 80), at("0.0.0.0", 80)), "ADDRESS_IN_USE");
  assert.equal(taken(at("0.0.0.0", 80), at("192.0.2.1", 80)), "ADDRESS_IN_USE");
  assert.equal(taken(at("0.0.0.0", 80), at("::", 80)), "ADDRESS_IN_USE");
  assert.equal(taken(at("0.0.0.0", 80), at("::", 80, { dual: false })), "free");
  assert.equal(taken(at("127.0.0.1", 80), at("192.0.2.1", 80)), "free");
  assert.equal(taken(at("192.0.2.1", 80, { shared: true }), at("192.0.2.1", 80, { shared: true })), "free");
  assert.equal(taken(at("192.0.2.9", 80), at("::", 81)), "ADDRESS_NOT_AVAILABLE");
});

test("ephemeral ports are drawn, and there may be none left", () => {
  const { port } = place(at("127.0.0.1", 0), [], addresses, random);
  assert.ok(port >= 32_768 && port <= 60_999);
  assert.equal(
    freePort(random, (candidate) => candidate !== 40_000),
    40_000,
  );
  assert.throws(() => freePort(random, () => true), { message: "ADDRESS_IN_USE" });
});

test("wildcards cover their family, and both where they are dual", () => {
  assert.deepEqual(
    [at("::", 1), at("::", 1, { dual: false }), at("0.0.0.0", 1), at("192.0.2.1", 1)].map((standing) =>
      ["192.0.2.1", "2001:db8::1"].map((ip) => covers(standing, ip)),
    ),
    [
      [true, true],
      [false, true],
      [true, false],
      [true, false],
    ],
  );
  assert.equal(sourceFor("192.0.2.77", addresses), "192.0.2.1");
  assert.equal(sourceFor("127.0.0.5", addresses), "127.0.0.1");
  assert.equal(sourceFor("2001:db8::9", ["192.0.2.1"]), undefined);
});
