import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FaultList } from "../../core/faults/fault-list.ts";
import { bindOver } from "../../io/datagram/bind.ts";
import { explore } from "./explore.ts";
import { minimize, shrink } from "./shrink.ts";
import { simulation } from "./simulation.ts";

/** Fails when both hosts are down at one time, and in another way when a clock is more than a second ahead. */
const program = simulation({ name: "both" }, async (world) => {
  const [a, b] = [world.host("a", () => undefined), world.host("b", () => undefined)];
  for (let step = 0; step < 1_200; step += 1) {
    await world.sleep(10);
    world.always("one is up", !(a.silent && b.silent));
    world.always("clocks agree", Math.abs(a.skewMs - b.skewMs) < 1_000);
  }
});

async function failing(identity: string): Promise<FaultList> {
  for (let seed = 1; seed < 500; seed += 1) {
    const { failure, list } = await explore(program, { seed, twice: true });
    if (failure?.identity === identity && list.faults.length > 4) return list;
  }
  throw new Error("no seed fails");
}

test("a failure shrinks to the faults that it needs, fails in the same way, and stays replayable", async () => {
  const list = await failing('SIM_INVARIANT always "one is up"');
  const steps: number[] = [];
  const report = await shrink(program, list, { onProgress: ({ faults }) => void steps.push(faults.length) });
  assert.equal(report.finished, true);
  assert.deepEqual(new Set(report.list.faults.map((fault) => "host" in fault && fault.host)), new Set(["a", "b"]));
  assert.equal(report.list.faults.length, 2);
  assert.deepEqual(report.list.choices, { cutReads: false, permute: false, latency: 1 });
  assert.ok(steps.length > 2 && report.runs < 300, `${steps.length} steps, ${report.runs} runs`);
  const again = await explore(program, { faults: report.list, twice: true });
  assert.equal(again.failure?.identity, list.failure);
});

test("numbers become small", async () => {
  const { list } = await shrink(program, await failing('SIM_INVARIANT always "clocks agree"'));
  const [fault] = list.faults;
  assert.equal(list.faults.length, 1);
  assert.ok(fault?.kind === "skew" && Math.abs(fault.skewMs) < 2_000 && fault.lastsMs <= 20, JSON.stringify(fault));
});

test("what is left hits every packet of its time, so that the seed decides nothing any more", async () => {
  const fragile = simulation({ chaos: { kinds: ["loss", "burst-loss", "duplication"] } }, async (world) => {
    let count = 0;
    world.host("b", async (network) => {
      for await (const { data } of await bindOver(network, "udp://0.0.0.0:5000")) count += data.length;
    });
    const box = await bindOver(world.host("a").network, "udp://0.0.0.0:0");
    for (let number = 1; number <= 200; number += 1) {
      await box.send("x", "udp://192.0.2.1:5000");
      await world.sleep(50);
    }
    world.always("at most two are lost", count >= 198);
  });
  let list: FaultList | undefined;
  for (let seed = 1; list?.failure === undefined; seed += 1) ({ list } = await explore(fragile, { seed, twice: true }));
  const { list: small } = await shrink(fragile, list);
  const [fault, ...others] = small.faults;
  assert.equal(others.length, 0);
  assert.ok(fault?.kind === "loss" && fault.chance === 1, JSON.stringify(fault));
  for (const seed of [1, 2, 3]) {
    assert.equal((await explore(fragile, { faults: { ...small, seed }, twice: true })).failure?.identity, list.failure);
  }
});

test("a list that does not fail, or not so, is refused; the number of runs is bounded", async () => {
  const list = await failing('SIM_INVARIANT always "one is up"');
  await assert.rejects(shrink(program, { ...list, faults: [] }), { code: "OPTION_INVALID", message: /does not fail/ });
  await assert.rejects(shrink(program, { ...list, failure: "another" }), {
    message: /fails with .*, not with another/,
  });
  const { runs, finished } = await shrink(program, list, { mostRuns: 4 });
  assert.deepEqual([runs, finished], [4, false]);
});

test("what is left is exactly what was needed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 40 }), fc.array(fc.nat(39), { maxLength: 5 }), async (length, picks) => {
      const items = Array.from({ length }, (_value, index) => index);
      const needed = [...new Set(picks)].filter((item) => item < length).sort((a, b) => a - b);
      const rest = await minimize(items, async (part) => needed.every((item) => part.includes(item)));
      assert.deepEqual(rest, needed);
    }),
  );
});

test("nothing is asked twice as often as it must be: one of a thousand is found in a few steps", async () => {
  let asked = 0;
  const items = Array.from({ length: 1000 }, (_value, index) => index);
  const fails = async (part: readonly number[]): Promise<boolean> => {
    asked += 1;
    return part.includes(613);
  };
  assert.deepEqual(await minimize(items, fails), [613]);
  assert.ok(asked < 40, `${asked}`);
});
