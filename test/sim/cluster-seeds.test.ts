import { test } from "node:test";
import { check, simulate } from "../../src/sim.ts";
import { clusterSeed } from "../fixtures/cluster-seed.ts";

/*
 * Servers that die at every moment of what they write, a journal that refuses, loses calls and loses answers, and partitions
 * (docs/semantics.md, rules D15 and D16). The soak `seeds` plays many more.
 */

const SEEDS = 3_000;
const TWICE = 300;

test("whatever dies, each message counts once, each answer comes once, and each member hears each message once", async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const run = seed <= TWICE ? check : simulate;
    await run({ seed, link: { latency: 2 } }, clusterSeed);
  }
});
