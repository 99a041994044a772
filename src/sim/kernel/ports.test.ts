import assert from "node:assert/strict";
import { test } from "node:test";
import { RandomStream } from "../../core/faults/random-stream.ts";
import { checkPlace, covers, freePort, type Place, type Standing, Standings } from "./ports.ts";

const addresses = ["192.0.2.1", "2001:db8::1"];
const random = new RandomStream(1, "ports");
const at = (ip: string, port: number, more: Partial<Standing> = {}): Standing => {
  return { local: { ip, port }, dual: true, shared: false, ...more };
};

function refusalOf(action: () => unknown): string {
  try {
    action();
    return "free";
  } catch (error) {
    return (error as Error).message;
  }
}

test("addresses that are taken, and shared", () => {
  const taken = (asked: Standing, other: Standing): string => {
    const standings = new Standings();
    standings.add(other);
    return refusalOf(() => standings.place(asked, random));
  };
  assert.equal(taken(at("192.0.2.1", 80), at("192.0.2.1", 80)), "ADDRESS_IN_USE");
  assert.equal(taken(at("192.0.2.1", 80), at("0.0.0.0", 80)), "ADDRESS_IN_USE");
  assert.equal(taken(at("0.0.0.0", 80), at("192.0.2.1", 80)), "ADDRESS_IN_USE");
  assert.equal(taken(at("0.0.0.0", 80), at("::", 80)), "ADDRESS_IN_USE");
  assert.equal(taken(at("0.0.0.0", 80), at("::", 80, { dual: false })), "free");
  assert.equal(taken(at("127.0.0.1", 80), at("192.0.2.1", 80)), "free");
  assert.equal(taken(at("192.0.2.1", 80, { shared: true }), at("192.0.2.1", 80, { shared: true })), "free");
});

test("who stands on a port, in the order in which they came, and who has left", () => {
  const standings = new Standings();
  const [first, second, other] = [at("127.0.0.1", 80), at("192.0.2.1", 80), at("127.0.0.1", 81)];
  for (const one of [first, second, other]) standings.add(one);
  assert.deepEqual([...standings.at(80)], [first, second]);
  standings.delete(first);
  standings.delete(other);
  assert.deepEqual([[...standings.at(80)], [...standings.at(81)], standings.has(81)], [[second], [], false]);
  assert.deepEqual([...standings.all], [second]);
});

test("where nothing can stand", () => {
  const answer = (local: Place, transport: "tcp" | "udp"): string =>
    refusalOf(() => checkPlace(local, transport, addresses));
  for (const ip of ["0.0.0.0", "::", "127.9.9.9", "192.0.2.1", "239.1.2.3", "192.0.2.255", "255.255.255.255"]) {
    assert.deepEqual([answer({ ip, port: 1 }, "tcp"), answer({ ip, port: 1 }, "udp")], ["free", "free"], ip);
  }
  for (const ip of ["192.0.2.9", "203.0.113.255", "fd00::1"]) {
    assert.equal(answer({ ip, port: 1 }, "tcp"), "ADDRESS_NOT_AVAILABLE");
  }
  assert.equal(answer({ ip: "ff05::9", port: 1 }, "tcp"), "OPTION_INVALID");
  assert.equal(answer({ ip: "ff05::9", port: 1 }, "udp"), "free");
  assert.equal(answer({ ip: "ff02::9", port: 1 }, "udp"), "OPTION_INVALID");
  assert.equal(answer({ ip: "ff02::9", port: 1, zone: "eth0" }, "udp"), "free");
  assert.equal(answer({ ip: "fe80::9", port: 1 }, "udp"), "OPTION_INVALID");
  assert.equal(answer({ ip: "fe80::9", port: 1, zone: "eth0" }, "udp"), "ADDRESS_NOT_AVAILABLE");
});

test("ephemeral ports are drawn, and there may be none left", () => {
  const { port } = new Standings().place(at("127.0.0.1", 0), random);
  assert.ok(port >= 32_768 && port <= 60_999);
  assert.equal(
    freePort(random, (candidate) => candidate !== 40_000),
    40_000,
  );
  assert.equal(
    freePort(random, () => true),
    undefined,
  );
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
});
