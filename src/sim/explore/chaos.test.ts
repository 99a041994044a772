import assert from "node:assert/strict";
import { test } from "node:test";
import type { FaultList } from "../../core/faults/fault-list.ts";
import { explore } from "./explore.ts";
import { simulation } from "./simulation.ts";

const choices = { cutReads: false, permute: false, latency: 1 };

test("the faults of a list come and go at their times, and all that is left is healed at the end", async () => {
  const seen: string[] = [];
  const program = simulation({}, async (world) => {
    seen.length = 0;
    const a = world.host("a", () => undefined);
    world.host("b");
    for (let step = 0; step < 12; step += 1) {
      await world.sleep(99.5);
      seen.push(`${a.silent ? "down" : "up"} ${a.skewMs}`);
      await world.sleep(0.5);
    }
  });
  const list: FaultList = {
    format: 1,
    simulation: "simulation",
    seed: 1,
    chaosMs: 1_000,
    choices,
    faults: [
      { kind: "freeze", host: "a", atMs: 200, lastsMs: 200 },
      { kind: "crash", host: "a", atMs: 700, lastsMs: 100_000 },
      { kind: "skew", host: "a", skewMs: 5, atMs: 500, lastsMs: 100_000 },
      { kind: "crash", host: "a", atMs: 1_050, lastsMs: 10 },
    ],
  };
  const { failure, list: used } = await explore(program, { faults: list, twice: true });
  assert.equal(failure, undefined);
  assert.deepEqual({ ...used, failure }, { ...list, failure: undefined });
  const up = "up 0";
  const [down, ahead] = ["down 0", "up 5"];
  // A clock that has jumped stays where it is.
  const expected = [up, up, down, down, up, ahead, ahead, "down 5", "down 5", "down 5", ahead, ahead];
  assert.deepEqual(seen, expected);
});

test("a list about hosts that are not there is an error, not a run without faults", async () => {
  const program = simulation({}, async (world) => await world.sleep(100));
  const faults = [{ kind: "crash", host: "gone", atMs: 5, lastsMs: 5 }] as const;
  const list: FaultList = { format: 1, simulation: "simulation", seed: 1, chaosMs: 50, choices, faults };
  assert.equal((await explore(program, { faults: list, twice: true })).failure?.identity, "OPTION_INVALID inflict");
});
