import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { faultsOf, playRound, type RoundPlan, startCluster, type TroubleName } from "../../bench/cluster/rounds.ts";
import { missing } from "../fixtures/programs.ts";

/* Nodes are processes, and clients talk while they are killed, stopped and sent away: nothing is lost, doubled, turned or new. */

const PLAN: RoundPlan = { members: 20, groupSize: 10, callEvery: 5, rate: 150, seconds: 4 };

const cases: readonly (readonly [TroubleName, says: string])[] = [
  ["kill", "all nodes but one are killed and started again"],
  ["stop", "a node that was stopped has nothing to say when it wakes"],
  ["leave", "a node that is told to end sends its clients away"],
];

for (const [store, skip] of [
  ["file", process.platform === "win32" ? "no signals" : false],
  ["nats", missing("nats-server")],
] as const) {
  describe(`sessions of three nodes, kept in ${store}`, { skip }, () => {
    for (const [trouble, says] of cases) {
      test(says, { timeout: 120_000 }, async () => {
        await using cluster = await startCluster("zocalo", store, 3);
        const report = await playRound(cluster, PLAN, trouble);
        assert.deepEqual(faultsOf(report), []);
        assert.ok(report.continued > 0, "no session went on at another node");
        // Who wakes has clients in its sockets that have gone; the journal refuses what it makes of what they said.
        if (trouble === "stop") assert.ok(report.moved > 0, "the node that was stopped has not noticed");
      });
    }
  });
}
