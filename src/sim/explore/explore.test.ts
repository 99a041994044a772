import assert from "node:assert/strict";
import { test } from "node:test";
import type { FaultList } from "../../core/faults/fault-list.ts";
import type { ZocaloError } from "../../core/errors.ts";
import { bindOver } from "../../io/datagram/bind.ts";
import type { World } from "../world/world-contract.ts";
import { explore } from "./explore.ts";
import { simulation } from "./simulation.ts";

/** Datagrams from a to b for five seconds; resolves with how many came. */
async function stream(world: World): Promise<number> {
  let count = 0;
  world.host("b", async (network) => {
    const box = await bindOver(network, "udp://0.0.0.0:5000");
    for await (const { data } of box) count += data.length;
  });
  const a = await bindOver(world.host("a").network, "udp://0.0.0.0:0");
  for (let number = 0; number < 100; number += 1) {
    await a.send("x", "udp://192.0.2.1:5000");
    await world.sleep(50);
  }
  world.sometimes("all have come", count === 100);
  return count;
}

test("a seed gives the same run again, and its list without the seed's draws too", async () => {
  const program = simulation({ name: "stream" }, stream);
  const digests = new Set<string>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const { digest, list, value, failure, coverage } = await explore(program, { seed, twice: true });
    assert.equal(failure, undefined);
    assert.equal(coverage["all have come"]?.checked, 1);
    // A bare list decides the same run; its header differs, since it has the faults in it.
    const again = await explore(program, { faults: list, twice: true });
    assert.deepEqual([again.value, again.list], [value, list]);
    digests.add(digest);
  }
  assert.equal(digests.size, 20);
});

test("first chaos, then everything is healed, then it must converge", async () => {
  const phases: string[] = [];
  const program = simulation(
    { chaos: { lastsMs: 1_000, kinds: ["crash", "freeze", "isolate", "loss"] } },
    async (world) => {
      const a = world.host("a", () => undefined);
      world.host("b");
      await world.healed;
      phases.push(`${world.now} ${a.silent}`);
      let done = false;
      world.at(1_995, () => (done = true));
      await world.converge("done", () => done, 1_500);
      phases.push(String(world.now));
    },
  );
  for (let seed = 1; seed <= 10; seed += 1)
    assert.equal((await explore(program, { seed, twice: true })).failure, undefined);
  assert.deepEqual(new Set(phases), new Set(["1000 false", "2000"]));
});

test("what does not converge fails with a report of hosts, sockets and timers; the seed is in it", async () => {
  const chaos = { lastsMs: 1_000, kinds: [] };
  const late = simulation({ chaos }, async (world) => {
    world.host("idle", async (network) => {
      await bindOver(network, "udp://0.0.0.0:5000");
      network.clock.setTimer(() => undefined, 3_600_000);
    });
    await world.converge("the moon is full", () => false, 500);
  });
  const { failure, durationMs } = await explore(late, { seed: 3, twice: true });
  assert.equal(failure?.identity, 'SIM_INVARIANT converge "the moon is full"');
  assert.equal(durationMs, 1_500);
  const detail = (failure?.error as ZocaloError | undefined)?.detail ?? "";
  assert.match(
    detail,
    /idle: datagram socket 0\.0\.0\.0:5000, 0 unread\n {4}1 timers, due at 3600000 ms\n {2}seed 3, at 1500/,
  );
  const endless = simulation({ chaos, convergeMs: 2_000 }, async () => await new Promise<void>(() => undefined));
  const stuck = await explore(endless, { seed: 3, twice: true });
  assert.equal(stuck.failure?.identity, 'SIM_INVARIANT converge "the program comes to its end"');
  assert.equal(stuck.durationMs, 3_000);
  const quiet = simulation({ chaos: false }, async () => await new Promise<void>(() => undefined));
  assert.equal((await explore(quiet, { seed: 3, twice: true })).failure?.identity, "SIM_DEADLOCK simulate");
});

test("failures are recognised by what they say, not by their numbers", async () => {
  const identity = async (fail: (world: World) => void): Promise<string | undefined> => {
    const program = simulation({ chaos: false }, async (world) => fail(world));
    return (await explore(program, { seed: 1, twice: true })).failure?.identity;
  };
  const thrown = (value: unknown) => (): never => {
    throw value;
  };
  assert.equal(await identity((world) => world.always("x", false)), 'SIM_INVARIANT always "x"');
  assert.equal(await identity(thrown(new TypeError("12 of 3.5 apples\nmore"))), "TypeError # of # apples");
  assert.equal(await identity(thrown("text")), "a value that is no error");
  const divided = simulation({ chaos: false }, async (world) => {
    world.host(`host ${(runs += 1)}`).crash();
  });
  let runs = 0;
  assert.equal((await explore(divided, { twice: true })).failure?.identity, "SIM_DIVERGED check");
});

test("options that make no sense are an error of the caller", async () => {
  const wrong = simulation({ link: { loss: 2 } }, async () => undefined);
  await assert.rejects(explore(wrong), { code: "OPTION_INVALID" });
  await assert.rejects(explore(wrong, { twice: true }), { code: "OPTION_INVALID" });
});

test("the trace begins with versions, the seed and every derived option", async () => {
  const lines: string[] = [];
  const program = simulation({ name: "stream", chaos: { lastsMs: 100 }, explore: true }, async () => undefined);
  await explore(program, { seed: 5, twice: true, trace: (line) => void lines.push(line) });
  const header = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  assert.equal(header["runtime"], `node ${process.versions.node}`);
  const names =
    "zocalo format seed link tcp explore permutation cutReads limitMs livelockEvents simulation chaosMs convergeMs";
  for (const name of names.split(" ")) assert.notEqual(header[name], undefined, name);
});

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
