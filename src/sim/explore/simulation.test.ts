import assert from "node:assert/strict";
import { test } from "node:test";
import { simulation, type SimulationOptions } from "./simulation.ts";

test("a simulation is what it was given; options that make no sense are refused at once", () => {
  const main = async (): Promise<number> => 3;
  const options = { name: "x", chaos: { lastsMs: 5, kinds: ["loss"] } } as const;
  assert.deepEqual(simulation(options, main), { options, main });
  const wrong = [
    { name: 3 },
    { convergeMs: -1 },
    { convergeMs: "5" },
    { chaos: { lastsMs: Number.NaN } },
    { chaos: { mostFaults: -1 } },
    { chaos: { kinds: ["los"] } },
    { chaos: { hosts: "a" } },
  ];
  for (const one of wrong) {
    const refused = { code: "OPTION_INVALID", op: "simulation" };
    assert.throws(() => simulation(one as unknown as SimulationOptions, main), refused, JSON.stringify(one));
  }
});
