import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, echo, joined, PORT } from "../../../test/sim/scene.ts";
import { connectOver } from "../../io/stream/connect.ts";
import { check } from "./check.ts";
import type { Host } from "./host-contract.ts";
import type { World } from "./world-contract.ts";

test("a partition is silence, a heal shows late, and no byte is lost", async () => {
  await check({ seed: 1 }, async (world) => {
    const { a, b, call, peer } = await joined(world);
    {
      using cut = world.partition(a, b);
      await call.write("late");
      assert.equal(await codeOf(peer.read({ timeoutMs: 10_000 })), "TIMEOUT");
      cut.heal();
    }
    const healedAt = world.now;
    assert.equal(String(await peer.readExactly(4)), "late");
    assert.ok(world.now - healedAt < 13_000, `${world.now - healedAt} ms`);
  });
});

test("a partition that lasts ends with CONNECTION_TIMED_OUT at the sender", async () => {
  await check({ seed: 1 }, async (world) => {
    const { a, b, call } = await joined(world);
    world.partitionOneWay(b, a);
    await call.write("anybody?");
    const before = world.now;
    assert.equal((await call.closed).how, "timeout");
    // Fifteen repetitions with a smallest time-out of 200 ms, as Linux documents it for tcp_retries2.
    const minutes = (world.now - before) / 60_000;
    assert.ok(minutes > 13 && minutes < 17, `${minutes} minutes`);
  });
});

test("groups, rings and single hosts can be cut off", async () => {
  await check({ seed: 1 }, async (world) => {
    const names = ["a", "b", "c", "d"];
    for (const name of names) world.host(name, echo);
    const reached = async (): Promise<string> => {
      const pairs: string[] = [];
      for (const from of world.hosts) {
        for (const to of names.filter((name) => name !== from.name)) {
          const attempt = connectOver(from.network, `tcp://${to}:${PORT}`, { timeoutMs: 100 });
          if ((await codeOf(attempt)) === "none") pairs.push(from.name + to);
        }
      }
      return pairs.join(" ");
    };
    const halves = world.partitionGroups(["a", "b"], ["c", "d"]);
    assert.equal(await reached(), "ab ba cd dc");
    halves.heal();
    halves.heal();
    const bridge = world.partitionGroups(["a", "b", "c"], ["c", "d"]);
    assert.equal(await reached(), "ab ac ba bc ca cb cd dc");
    bridge.heal();
    const ring = world.ring(...names);
    assert.equal(await reached(), "ab ad ba bc cb cd da dc");
    ring.heal();
    using alone = world.isolate("d");
    assert.equal(await reached(), "ab ac ba bc ca cb");
    alone.heal();
  });
});
test("errors of programs end the run; hosts have documentation addresses and names of their own", async () => {
  const failing = async (world: World): Promise<void> => {
    world.host("a", () => {
      throw new Error("of the program");
    });
    await world.sleep(1);
  };
  await assert.rejects(check({}, failing), { message: "of the program" });
  await check({}, async (world) => {
    assert.deepEqual(world.host("a").addresses, ["192.0.2.1", "2001:db8::1"]);
    assert.throws(() => world.host("a"), { code: "OPTION_INVALID" });
    assert.throws(() => world.host("b", undefined, { addresses: ["10.0.0.1"] }), { code: "ADDRESS_INVALID" });
    assert.throws(() => world.host("b", undefined, { addresses: ["192.0.2.1"] }), { code: "ADDRESS_INVALID" });
    assert.throws(() => world.partition("a", "nobody"), { code: "OPTION_INVALID" });
  });
});

test("what is no host, no name, no answer or no rule is refused, with its name", async () => {
  const other: Host[] = [];
  await check({}, async (world) => {
    other.push(world.host("a"));
  });
  await check({}, async (world) => {
    const a = world.host("a");
    const wrong = (value: unknown): Host => value as Host;
    const calls: Readonly<Record<string, () => unknown>> = {
      isolate: () => world.isolate(wrong([a])),
      ring: () => world.ring(a, wrong(undefined)),
      link: () => world.link(wrong([a]), a, { loss: 0.1 }),
      partition: () => world.partition(a, wrong({ name: "a" })),
      "a host of another world": () => world.partition(a, other[0] ?? ""),
      partitionGroups: () => world.partitionGroups(wrong(a) as unknown as readonly Host[]),
      host: () => world.host(wrong(undefined) as unknown as string),
      name: () => world.name("x", "NOWHERE" as "NAME_NOT_FOUND"),
      rule: () => world.rule(wrong(undefined) as unknown as () => undefined),
    };
    for (const [name, call] of Object.entries(calls)) assert.throws(call, { code: "OPTION_INVALID" }, name);
    for (const duration of [-1, Number.NaN, "1"]) {
      await assert.rejects(world.sleep(duration as number), { code: "OPTION_INVALID", op: "sleep" });
    }
  });
});
