import assert from "node:assert/strict";
import { test } from "node:test";
import { PORT } from "../../test/sim/scene.ts";
import { bind, connect, listen } from "../index.ts";
import { check, type Host, type World } from "../sim.ts";
import { expectError } from "../testing/expect-error.ts";
import { textToEnd } from "../testing/stream/check.ts";
import type { FaultProxies, ProxyDefinition, StartProxyOptions } from "./public.ts";
import type { ProxySchedule, ScheduledFault } from "./schedule.ts";
import { startProxy } from "./start-proxy.ts";

const TO_SERVER = { from: "client", to: "server" } as const;

/** Proxies of TCP and of UDP on a host of a world. */
async function scene(
  options: Pick<StartProxyOptions, "seed" | "schedule" | "limits">,
  main: (scene: { world: World; running: FaultProxies; s: Host; p: Host }) => Promise<void>,
): Promise<void> {
  await check({ seed: 1, link: { latency: 0 } }, async (world) => {
    const [s, p] = [world.host("s"), world.host("p")];
    const proxies: readonly ProxyDefinition[] = [
      { name: "tcp", listen: "tcp://0.0.0.0:9000", upstream: `tcp://s:${PORT}` },
      { name: "udp", listen: "udp://0.0.0.0:9000", upstream: `udp://s:${PORT}` },
    ];
    const running = await startProxy({ ...options, network: p.network, expose: true, proxies });
    await main({ world, running, s, p });
    running.abort();
  });
}

function acting(running: FaultProxies): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Array.from(running.proxies.values(), ({ name, faults }) => [name, faults.map((f) => f.kind)]),
  );
}

test("each fault begins and ends at its time, where it can be, and all is healed at the end", async () => {
  const faults: readonly ScheduledFault[] = [
    { atMs: 0, lastsMs: 100, kind: "latency", ...TO_SERVER, latency: 5 },
    { atMs: 50, lastsMs: 10, kind: "slicing", ...TO_SERVER, averageBytes: 1 },
    { atMs: 100, lastsMs: 50, kind: "loss", ...TO_SERVER, chance: 0.5, proxy: "udp" },
    { atMs: 120, lastsMs: 10_000, kind: "partition", ...TO_SERVER },
    { atMs: 500, lastsMs: 10, kind: "isolate", host: "client" },
  ];
  await scene({ schedule: { format: 1, chaosMs: 200, faults } }, async ({ world, running, p }) => {
    const [play] = running.plays;
    assert.ok(play !== undefined);
    const at = async (ms: number): Promise<unknown> => {
      await world.sleep(play.beganAtMs + ms - p.network.clock.now());
      return acting(running);
    };
    assert.deepEqual(acting(running), { tcp: ["latency"], udp: ["latency"] });
    assert.deepEqual(await at(55), { tcp: ["latency", "slicing"], udp: ["latency"] });
    assert.deepEqual(await at(70), { tcp: ["latency"], udp: ["latency"] });
    assert.deepEqual(await at(110), { tcp: [], udp: ["loss"] });
    assert.deepEqual(await at(130), { tcp: ["partition"], udp: ["loss", "partition"] });
    assert.deepEqual(await at(199), { tcp: ["partition"], udp: ["partition"] });
    await play.ended;
    assert.deepEqual(await at(201), { tcp: [], udp: [] });
    assert.deepEqual(running.plays, []);
    assert.deepEqual(await at(505), { tcp: [], udp: [] });
  });
});

test("stop heals at once, and so does closing; other faults stay", async () => {
  const schedule: ProxySchedule = {
    format: 1,
    seed: 9,
    faults: [
      { atMs: 0, lastsMs: 100, kind: "partition", ...TO_SERVER },
      { atMs: 50, lastsMs: 100, kind: "latency", ...TO_SERVER, latency: 5 },
    ],
  };
  await scene({ schedule }, async ({ world, running }) => {
    assert.equal(running.seed, 9);
    running.inflict({ kind: "duplication", ...TO_SERVER, chance: 0.1 });
    running.plays[0]?.stop();
    running.plays[0]?.stop();
    assert.deepEqual(acting(running), { tcp: ["duplication"], udp: ["duplication"] });
    await world.sleep(80);
    assert.deepEqual(acting(running), { tcp: ["duplication"], udp: ["duplication"] });
    const again = running.play(schedule);
    assert.deepEqual(acting(running)["tcp"], ["duplication", "partition"]);
    running.abort();
    await again.ended;
    assert.throws(() => running.play(schedule), { code: "CLOSED" });
  });
});

test("a schedule that cannot be played begins nothing, and opens nothing", async () => {
  const cut: ScheduledFault = { atMs: 0, lastsMs: 100, kind: "cut", ...TO_SERVER, bytes: 1 };
  const wrong: readonly (readonly [faults: readonly ScheduledFault[], told: RegExp])[] = [
    [[cut, { ...cut, proxy: "udp" }], /faults\[1\].*"cut" is no fault of a proxy of datagrams/],
    [[cut, { ...cut, proxy: "db" }], /faults\[1\]\.proxy must be one of "tcp", "udp", not "db"/],
    [[cut, { ...cut, bytes: -1 }], /faults\[1\]\.bytes must be a whole number/],
    [[cut, { ...cut, kind: "crash", host: "server" } as unknown as ScheduledFault], /faults\[1\].*"crash"/],
  ];
  await scene({}, async ({ running }) => {
    for (const [faults, told] of wrong) {
      assert.throws(() => running.play({ format: 1, faults }), told);
      assert.deepEqual(acting(running), { tcp: [], udp: [] });
    }
  });
  const free = await listen("tcp://127.0.0.1:0");
  const door = free.localAddress;
  await free.close();
  const proxies = [
    { name: "udp", upstream: "udp://127.0.0.1:9" },
    { name: "tcp", listen: door, upstream: "127.0.0.1:9" },
  ];
  for (const [faults] of wrong) {
    await expectError(startProxy({ proxies, schedule: { format: 1, faults } }), { code: "OPTION_INVALID" });
    await expectError(connect(door), { code: "CONNECTION_REFUSED" });
  }
  // Datagrams alone cannot have what connections have.
  await expectError(startProxy({ proxies: proxies.slice(0, 1), schedule: { format: 1, faults: [cut] } }), {
    code: "OPTION_INVALID",
  });
  // A proxy that comes later may have it.
  await using later = await startProxy({ schedule: { format: 1, faults: [cut] } });
  assert.equal(later.plays.length, 1);
});

test("a schedule has its places from its begin to its end, and is refused where there are too few", async () => {
  const slow = { kind: "latency", ...TO_SERVER, latency: 5 } as const;
  const faults: readonly ScheduledFault[] = [
    { atMs: 0, lastsMs: 100, ...slow },
    // Both act for a moment: what begins comes first.
    { atMs: 100, lastsMs: 100, ...slow },
    { atMs: 50, lastsMs: 10, ...slow, proxy: "udp" },
  ];
  const schedule: ProxySchedule = { format: 1, faults };
  const full = { code: "OPTION_INVALID" } as const;
  await scene({ limits: { maxFaults: 3 } }, async ({ world, running }) => {
    const play = running.play(schedule);
    const tcp = running.proxies.get("tcp");
    const own = tcp?.inflict(slow);
    assert.throws(() => tcp?.inflict(slow), full);
    assert.throws(() => running.inflict(slow), full);
    const message = /schedule\.faults has 2 faults at once for the proxy "tcp", which has room for 0 more/;
    assert.throws(() => running.play(schedule), { ...full, message });
    // A proxy that comes now has the schedule, too.
    const late = { name: "late", upstream: `tcp://s:${PORT}` };
    await expectError(running.add({ ...late, faults: [slow, slow] }), { code: "OPTION_INVALID" });
    await running.add({ ...late, faults: [slow] });
    await world.sleep(150);
    assert.equal(running.proxies.get("late")?.faults.length, 2);
    play.stop();
    // At once, and only once.
    play.stop();
    running.play(schedule).stop();
    for (let count = 0; count < 2; count += 1) tcp?.inflict(slow);
    assert.throws(() => tcp?.inflict(slow), full);
    own?.heal();
    assert.equal(tcp?.faults.length, 2);
  });
  const proxies = [{ name: "tcp", upstream: "127.0.0.1:9", faults: [slow, slow] }];
  const own = { ...schedule, faults: faults.slice(0, 2) };
  await expectError(startProxy({ proxies, schedule: own, limits: { maxFaults: 3 } }), full);
  await using running = await startProxy({ proxies, schedule: own, limits: { maxFaults: 4 } });
  assert.equal(running.plays.length, 1);
});

test("a schedule that is changed while it is played stays as it was", async () => {
  const fault = { atMs: 10, lastsMs: 10, kind: "latency", ...TO_SERVER, latency: 5, when: { connections: "1" } };
  const given = { format: 1, faults: [fault] };
  await scene({}, async ({ world, running }) => {
    const play = running.play(structuredClone(given) as ProxySchedule);
    const other = structuredClone(given);
    const second = running.play(other as ProxySchedule);
    for (const one of other.faults) {
      one.kind = "meteor";
      one.when.connections = "5-2";
    }
    await world.sleep(15);
    assert.deepEqual(acting(running), { tcp: ["latency", "latency"], udp: ["latency", "latency"] });
    await Promise.all([play.ended, second.ended]);
  });
});

/** What the report says of one traffic, of connections and datagrams, behind a schedule. */
async function digestOf(seed: number, schedule: ProxySchedule): Promise<string> {
  let digest = "";
  await scene({ seed, schedule }, async ({ world, running, s }) => {
    const c = world.host("c");
    const door = await listen(`tcp://0.0.0.0:${PORT}`, { network: s.network });
    const box = await bind(`udp://0.0.0.0:${PORT}`, { network: s.network });
    const client = await bind("udp://0.0.0.0:0", { network: c.network, remote: "udp://p:9000" });
    for (let count = 0; count < 5; count += 1) {
      const [call, peer] = await Promise.all([connect("tcp://p:9000", { network: c.network }), door.accept()]);
      const said = "x".repeat(10_000);
      const heard = textToEnd(peer);
      for (let from = 0; from < said.length; from += 1_000) {
        await call.write(said.slice(from, from + 1_000));
        await client.send("x");
        await world.sleep(7);
      }
      await call.end();
      assert.equal(await heard, said);
      await peer.close();
    }
    ({ digest } = running.report());
    await Promise.all([door.close(), box.close(), client.close()]);
  });
  return digest;
}

test("the same schedule and traffic give the same report; another seed gives another", async () => {
  const schedule: ProxySchedule = {
    format: 1,
    faults: [
      { atMs: 10, lastsMs: 60, kind: "loss", from: "*", to: "*", chance: 0.2 },
      { atMs: 40, lastsMs: 90, kind: "slicing", ...TO_SERVER, averageBytes: 300, variationBytes: 299 },
      { atMs: 90, lastsMs: 100, kind: "duplication", ...TO_SERVER, chance: 0.4 },
      { atMs: 100, lastsMs: 100, kind: "latency", ...TO_SERVER, latency: 20, when: { chance: 0.5 } },
    ],
  };
  const first = await digestOf(7, schedule);
  assert.equal(await digestOf(7, schedule), first);
  assert.notEqual(await digestOf(8, schedule), first);
  assert.notEqual(await digestOf(7, { ...schedule, chaosMs: 5 }), first);
});
