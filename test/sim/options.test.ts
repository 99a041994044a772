/** The options of everything in `zocalo/sim`: one that there is not is refused, one that is undefined has its default. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/index.ts";
import { check, explore, formatFaultList, shrink, simTest, simulate, simulation } from "../../src/sim.ts";

const idle = async (): Promise<void> => undefined;
const untyped = (options: unknown): never => options as never;

async function refused(op: string, meant: string, call: () => unknown): Promise<void> {
  await assert.rejects(
    async () => await call(),
    (error) => {
      assert.ok(error instanceof UsageError && error.code === "OPTION_INVALID", String(error));
      assert.equal(error.op, op, error.message);
      assert.match(error.detail, new RegExp(`^there is no option ".*"; did you mean "${meant}"\\?$`));
      return true;
    },
  );
}

test("the options of a world, and of its parts", async () => {
  for (const run of [simulate, check]) {
    await refused("simulate", "seed", () => run(untyped({ sed: 1 }), idle));
    await refused("simulate", "limitMs", () => run(untyped({ limitMS: 1 }), idle));
    await refused("simulate", "mtuBytes", () => run(untyped({ link: { mtu_bytes: 1500 } }), idle));
    await refused("simulate", "tcp.synRetries", () => run(untyped({ tcp: { synRetry: 1 } }), idle));
  }
  await check({}, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")];
    await refused("host", "names", () => world.host("c", undefined, untyped({ name: ["c"] })));
    for (const [conditions, meant] of [
      [{ los: 0.5 }, "loss"],
      [{ loss: { entr: 0.1, leave: 0.5 } }, "loss.enter"],
      [{ reordering: { chance: 0.1, delay: 5 } }, "reordering.delayMs"],
      [{ latency: { kind: "normal", meanMs: 5, deviation: 1 } }, "latency.deviationMs"],
    ] as const) {
      await refused("link", meant, () => world.link(untyped(conditions)));
      await refused("link", meant, () => world.link(a, b, untyped(conditions)));
      await refused("link", meant, () => world.linkOneWay(a, b, untyped(conditions)));
    }
    for (const latency of [{ kind: "uniformly", fromMs: 1, toMs: 2 }, { kind: "toString" }, null, "5"]) {
      assert.throws(() => world.link({ latency: untyped(latency) }), { code: "OPTION_INVALID" });
    }
    // Without conditions, the first host would be taken for them.
    assert.throws(() => world.link(a, b, untyped(undefined)), { code: "OPTION_INVALID" });
  });
});

test("the options of simulations", async () => {
  await refused("simulation", "name", () => simulation(untyped({ nam: "x" }), idle));
  await refused("simulation", "chaos.lastsMs", () => simulation(untyped({ chaos: { lasts: 5 } }), idle));
  await refused("simulation", "chaos.lastsMs", () => simulation(untyped({ lastsMs: 5 }), idle));
  await refused("simTest", "seeds", () => simTest("x", untyped({ seds: 5 }), idle));
  const plain = simulation({ chaos: false }, idle);
  await refused("explore", "seed", () => explore(plain, untyped({ seeds: 5 })));
  const { list } = await explore(plain, {});
  await refused("shrink", "mostRuns", () => shrink(plain, list, untyped({ mostRun: 5 })));
});

test("an option that is undefined has its default, or that of the simulation that it changes", async () => {
  const gone = undefined;
  const told: number[] = [];
  const program = simulation({ chaos: false, limitMs: 5 }, async (world) => {
    told.push(world.seed);
    await world.sleep(50);
  });
  const named = { seed: gone, faults: gone, twice: gone, trace: gone, capture: gone };
  const { failure, list } = await explore(program, named);
  assert.equal(failure?.identity, "TIMEOUT simulate");
  assert.ok(formatFaultList(list).length > 0);
  assert.deepEqual(told, [1]);
  const world = {
    seed: gone,
    link: gone,
    tcp: gone,
    explore: gone,
    cutReads: gone,
    limitMs: gone,
    livelockEvents: gone,
  };
  const report = await check({ ...world, tcp: untyped({ synRetries: gone }), link: { loss: gone } }, idle);
  assert.equal(report.seed, 1);
});
