import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULT_KINDS, type TimedFault } from "../../core/faults/fault.ts";
import { check } from "../world/check.ts";
import type { Host } from "../world/host-contract.ts";
import type { ChaosOptions } from "./simulation.ts";
import { drawChoices, drawFaults } from "./swarm.ts";

async function withHosts<T>(look: (hosts: readonly Host[]) => T): Promise<T> {
  const { value } = await check({ seed: 1 }, async (world) => {
    world.host("server", () => undefined);
    world.host("client");
    return look(world.hosts);
  });
  return value;
}

async function drawMany(options: ChaosOptions, seeds = 300): Promise<readonly (readonly TimedFault[])[]> {
  return await withHosts((hosts) =>
    Array.from({ length: seeds }, (_value, index) => drawFaults(index + 1, hosts, options)),
  );
}

test("seeds turn whole kinds on and off; all kinds come up, but no middlebox unless it is asked for", async () => {
  const lists = await drawMany({});
  const kinds = new Set(lists.flatMap((faults) => faults.map(({ kind }) => kind)));
  assert.deepEqual(
    [...FAULT_KINDS].filter((kind) => !kinds.has(kind)),
    ["reset"],
  );
  const counts = lists.map((faults) => new Set(faults.map(({ kind }) => kind)).size);
  assert.ok(Math.min(...counts) <= 2 && Math.max(...counts) >= 7, `${Math.min(...counts)} ${Math.max(...counts)}`);
  assert.ok((await drawMany({ kinds: ["reset"] })).flat().every(({ kind }) => kind === "reset"));
});

test("faults stay within the chaos, their number and their hosts; only programs crash; a host stops once at a time", async () => {
  for (const faults of await drawMany({ lastsMs: 2_000, mostFaults: 6 })) {
    assert.ok(faults.length <= 6);
    for (const fault of faults) {
      assert.ok(fault.atMs >= 0 && fault.lastsMs > 0 && fault.atMs + fault.lastsMs <= 2_000, JSON.stringify(fault));
      if (fault.kind === "crash") assert.equal(fault.host, "server");
    }
    const stops = faults.filter(({ kind }) => ["pause", "freeze", "crash"].includes(kind));
    for (const host of ["server", "client"]) {
      const own = stops.filter((fault) => "host" in fault && fault.host === host);
      for (const [index, fault] of own.entries()) {
        const before = own[index - 1];
        if (before !== undefined) assert.ok(before.atMs + before.lastsMs < fault.atMs);
      }
    }
  }
  for (const fault of (await drawMany({ hosts: ["client"] }, 50)).flat()) {
    assert.ok("host" in fault && fault.host === "client", JSON.stringify(fault));
  }
});

test("a kind that is left out moves no other", async () => {
  const options = { mostFaults: 1000 };
  const all = await drawMany(options, 30);
  const fewer = await drawMany({ ...options, kinds: ["loss", "isolate"] }, 30);
  for (const [index, faults] of fewer.entries()) {
    assert.deepEqual(
      faults,
      all[index]?.filter(({ kind }) => kind === "loss" || kind === "isolate"),
    );
  }
});

test("what the simulation says itself is not drawn", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const choices = drawChoices(seed, { explore: true, cutReads: false, link: { latency: 7 } });
    assert.deepEqual(choices, { permute: true, cutReads: false, latency: 7 });
  }
  const latencies = new Set(
    Array.from({ length: 50 }, (_value, seed) => JSON.stringify(drawChoices(seed, {}).latency)),
  );
  assert.ok(latencies.size > 10);
});
