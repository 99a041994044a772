/**
 * Small worlds of two servers with one journal, in which everything fails: each message counts once, each answer comes once, each
 * member hears each message once, all in one order.
 *
 * `SOAK_CLUSTER_SEEDS` (100,000) worlds from the seed `SOAK_SEED` (1) on.
 */

import { simulate } from "../../src/sim.ts";
import { clusterSeed } from "../fixtures/cluster-seed.ts";
import { conclude, countOf } from "./outcome.ts";

const first = countOf("SOAK_SEED", 1);
const count = countOf("SOAK_CLUSTER_SEEDS", 100_000);
const problems: string[] = [];
for (let seed = first; seed < first + count; seed += 1) {
  try {
    await simulate({ seed, link: { latency: 2 } }, clusterSeed);
  } catch (error) {
    problems.push(`seed ${seed}: ${String(error)}`);
  }
  if (seed % 10_000 === 0) console.log(`seed ${seed}: ${problems.length} problems`);
}
conclude("seeds", problems);
