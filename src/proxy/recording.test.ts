import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFaultList } from "../core/faults/fault-list.ts";
import { connect, listen } from "../index.ts";
import { check, type World } from "../sim.ts";
import { textToEnd } from "../testing/stream/check.ts";
import type { FaultProxies, ProxyDefinition } from "./public.ts";
import { formatSchedule, parseSchedule, type ProxySchedule } from "./schedule.ts";
import { startProxy } from "./start-proxy.ts";

const TO_SERVER = { from: "client", to: "server" } as const;
const PROXY: ProxyDefinition = {
  name: "a",
  listen: "tcp://0.0.0.0:9000",
  upstream: "tcp://s:7000",
  faults: [{ kind: "slicing", ...TO_SERVER, averageBytes: 700, variationBytes: 300 }],
};

/** Ten conversations through proxies, one after the other, during which `storm` has its way; answers the digest of the report. */
async function digestOf(
  proxies: readonly ProxyDefinition[],
  storm: (world: World, running: FaultProxies) => Promise<void>,
): Promise<string> {
  let digest = "";
  await check({ seed: 1, link: { latency: 0 } }, async (world) => {
    const [c, p, s] = [world.host("c"), world.host("p"), world.host("s")];
    const running = await startProxy({ seed: 7, network: p.network, expose: true, proxies });
    const door = await listen("tcp://0.0.0.0:7000", { network: s.network });
    const done = storm(world, running);
    for (let count = 0; count < 10; count += 1) {
      const [call, peer] = await Promise.all([connect("tcp://p:9000", { network: c.network }), door.accept()]);
      const heard = textToEnd(peer);
      for (let piece = 0; piece < 5; piece += 1) {
        await call.write("x".repeat(2_000));
        await world.sleep(7);
      }
      await call.end();
      assert.equal((await heard).length, 10_000);
      await peer.close();
    }
    await done;
    ({ digest } = running.report());
    running.abort();
    await door.close();
  });
  return digest;
}

test("what was done by hand is a schedule that does it again, to the digest", async () => {
  let schedule: ProxySchedule | undefined;
  const byHand = await digestOf([PROXY], async (world, running) => {
    const recording = running.record();
    const loss = { kind: "loss", ...TO_SERVER, chance: 0.2 } as const;
    const first = running.inflict(loss);
    await world.sleep(33.25);
    const late = running.inflict({ kind: "latency", from: "*", to: "*", latency: 12, when: { chance: 0.5 } });
    const again = running.inflict(loss);
    await world.sleep(50);
    first.heal();
    await world.sleep(11);
    late.heal();
    again.heal();
    const slow = running.inflict({ kind: "bandwidth", ...TO_SERVER, bitsPerSecond: 8_000_000 });
    await world.sleep(100);
    // It acts when the recording stops, which is its end in the schedule.
    schedule = recording.stop();
    slow.heal();
    assert.equal(recording.stop(), schedule);
  });
  assert.ok(schedule !== undefined);
  const text = formatSchedule(schedule);
  const again = parseSchedule(text);
  assert.deepEqual(
    again.faults.map(({ kind, atMs, lastsMs }) => [kind, atMs, lastsMs]),
    [
      ["loss", 0, 83.25],
      ["latency", 33.25, 61],
      ["loss", 33.25, 61],
      ["bandwidth", 94.25, 100],
    ],
  );
  assert.deepEqual([again.seed, again.chaosMs], [7, 194.25]);
  const replayed = await digestOf([PROXY], async (_world, running) => await running.play(again).ended);
  assert.equal(replayed, byHand);
  assert.notEqual(await digestOf([PROXY], async () => undefined), byHand);
  // Without what only a proxy has, it is a list of the simulator.
  const plain = { ...again, faults: again.faults.filter(({ when }) => when === undefined) };
  assert.equal(parseFaultList(formatSchedule(plain)).faults.length, 3);
});

test("faults of several proxies say whose they are; those of a definition are left out, those that act already begin at 0", async () => {
  const upstream = "tcp://127.0.0.1:9";
  await using running = await startProxy({ proxies: [{ ...PROXY, listen: "tcp://127.0.0.1:0", upstream }] });
  const acts = running.inflict({ kind: "isolate", host: "client" });
  const recording = running.record();
  assert.deepEqual(
    recording.schedule.faults.map(({ kind, atMs, proxy }) => [kind, atMs, proxy]),
    [["isolate", 0, undefined]],
  );
  const added = await running.add({ name: "b", upstream, faults: [{ kind: "partition", ...TO_SERVER }] });
  // The same object as one that began before.
  const cut = { kind: "cut", ...TO_SERVER, bytes: 1, when: { bytes: undefined } } as const;
  running.inflict(cut);
  added.inflict(cut).heal();
  acts.heal();
  const { faults } = parseSchedule(formatSchedule(recording.stop()));
  assert.deepEqual(
    faults.map(({ kind, proxy }) => [kind, proxy]),
    [
      ["isolate", "a"],
      ["cut", "a"],
      ["cut", "b"],
      ["cut", "b"],
    ],
  );
  running.inflict(cut);
  assert.equal(recording.schedule.faults.length, 4);
  await running.close();
  assert.throws(() => running.record(), { code: "CLOSED" });
});

test("a recording is bounded, and says what it did not note", async () => {
  await using running = await startProxy({ proxies: [{ name: "a", upstream: "tcp://127.0.0.1:9" }] });
  const recording = running.record();
  for (let count = 0; count < 10_005; count += 1) running.inflict({ kind: "isolate", host: "client" }).heal();
  assert.deepEqual([recording.schedule.faults.length, recording.dropped], [10_000, 5]);
});
