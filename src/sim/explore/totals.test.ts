import assert from "node:assert/strict";
import { test } from "node:test";
import type { TimedFault } from "../../core/faults/fault.ts";
import { type ExplorationSummary, ExplorationTotals } from "./totals.ts";

const FAULT: TimedFault = { kind: "crash", host: "a", atMs: 1, lastsMs: 1 };

function run(seed: number, failure: string | undefined, held: number): ExplorationSummary {
  const choices = { cutReads: true, permute: false, latency: 1 };
  return {
    seed,
    failure: failure === undefined ? undefined : { identity: failure },
    coverage: { rare: { kind: "sometimes", checked: 3, held }, never: { kind: "sometimes", checked: 1, held: 0 } },
    list: { format: 1, simulation: "", seed, chaosMs: 1, choices, faults: seed % 2 === 0 ? [FAULT, FAULT] : [] },
  };
}

test("runs add up: failures by their identity, kinds of fault and conditions by the runs that had them", () => {
  const totals = new ExplorationTotals();
  for (let seed = 1; seed <= 20; seed += 1) totals.add(run(seed, seed > 10 ? "bad" : undefined, seed > 15 ? 2 : 0));
  assert.equal(totals.runs, 20);
  assert.deepEqual(totals.failures, [{ identity: "bad", runs: 10, seeds: [11, 12, 13, 14, 15] }]);
  assert.deepEqual(totals.neverHeld, ["never"]);
  const text = totals.text();
  assert.match(text, /^20 runs, 10 failed$/m);
  assert.match(text, /^ {2}crash +10$/m);
  assert.match(text, /^ {2}sometimes "rare" +5 of 20$/m);
  assert.match(text, /^ {2}sometimes "never" +0 of 20 {2}never: not tested$/m);
});
