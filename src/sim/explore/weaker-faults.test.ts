import assert from "node:assert/strict";
import { test } from "node:test";
import { formatFaultList, parseFaultList } from "../../core/faults/fault-list.ts";
import { RandomStream } from "../../core/faults/random-stream.ts";
import { check } from "../world/check.ts";
import { drawFaults } from "./swarm.ts";
import { weakerFaults } from "./weaker-faults.ts";

test("every chain of weaker faults ends, and each of them can be stored and inflicted", async () => {
  await check({ seed: 1 }, async (world) => {
    const hosts = ["a", "b"].map((name) => world.host(name, () => undefined));
    const stream = new RandomStream(1, "test");
    for (let seed = 1; seed <= 40; seed += 1) {
      for (const first of drawFaults(seed, hosts, { kinds: undefined })) {
        let fault = first;
        let steps = 0;
        for (let forms = weakerFaults(fault); forms.length > 0; forms = weakerFaults(fault)) {
          fault = forms[stream.below(forms.length)] ?? fault;
          steps += 1;
          assert.ok(steps < 200, JSON.stringify(first));
        }
        const choices = { cutReads: false, permute: false, latency: 1 };
        const list = { format: 1, simulation: "", seed, chaosMs: 1, choices, faults: [fault] } as const;
        assert.deepEqual(parseFaultList(formatFaultList(list)), list);
        world.inflict(fault).heal();
      }
    }
  });
});
