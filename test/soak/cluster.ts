/**
 * Three nodes in processes of their own, with their sessions in NATS, and in a file: two of three are killed, one is stopped and
 * woken, one is told to end, the store is killed. Nothing may be lost, doubled, turned, wrong or new.
 *
 * `SOAK_CLUSTER_KILLS` (100) rounds of the first, `SOAK_CLUSTER_ROUNDS` (20) of each of the others, with the store `SOAK_STORE` (nats).
 */

import {
  type Cluster,
  faultsOf,
  GROUPS_OF_TEN,
  playRound,
  startCluster,
  type TroubleName,
} from "../../bench/cluster/rounds.ts";
import { conclude, countOf } from "./outcome.ts";

const store = process.env["SOAK_STORE"] ?? "nats";
const rounds = countOf("SOAK_CLUSTER_ROUNDS", 20);
const kinds: readonly (readonly [TroubleName, number, rate: number])[] = [
  ["kill", countOf("SOAK_CLUSTER_KILLS", 100), 3_000],
  ["stop", rounds, 1_500],
  ["leave", rounds, 1_500],
  // A file has no server.
  ["outage", store === "file" ? 0 : rounds, 1_500],
];

async function play(cluster: Cluster, trouble: TroubleName, count: number, rate: number): Promise<readonly string[]> {
  const problems: string[] = [];
  for (let round = 0; round < count; round += 1) {
    const report = await playRound(cluster, { ...GROUPS_OF_TEN, rate, seconds: 6 }, trouble, round);
    const { wanted, calls, continued, moved, awayMs, behindMs } = report;
    const faults = faultsOf(report);
    const away = `away ${Math.round(awayMs[awayMs.length >> 1] ?? 0)} ms, at most ${Math.round(awayMs.at(-1) ?? 0)} ms`;
    const what = `${wanted} deliveries, ${calls} calls, ${continued} continued, ${moved} given up, ${away}`;
    console.log(`${trouble} ${round}: ${what}, behind ${Math.round(behindMs)} ms: ${faults.join(", ") || "right"}`);
    if (faults.length > 0) problems.push(`${trouble} ${round}: ${faults.join(", ")}`);
    if (trouble !== "outage" && continued === 0) problems.push(`${trouble} ${round}: no session went on`);
  }
  return problems;
}

const problems: string[] = [];
for (const [trouble, count, rate] of kinds) {
  await using cluster = await startCluster("zocalo", store, 3);
  problems.push(...(await play(cluster, trouble, count, rate)));
}
conclude("cluster", problems);
