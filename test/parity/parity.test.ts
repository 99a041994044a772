import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeNetwork } from "../../src/index.ts";
import { check, type SimulateOptions, type World } from "../../src/sim.ts";
import { datagramScenarios } from "./datagram-scenarios.ts";
import { listenerScenarios } from "./listener-scenarios.ts";
import { endScenarios } from "./end-scenarios.ts";
import { type Ground, type Outcome, type Scenario, Scene } from "./ground.ts";
import { streamScenarios } from "./stream-scenarios.ts";

/*
 * The same programs on the sockets of the kernel and in worlds: where they differ, the simulator is wrong. Each outcome is
 * written down once, so that two mistakes cannot agree. In a world every scenario runs twice, to see that the seed decides it.
 */

const SCENARIOS: readonly Scenario[] = [
  ...streamScenarios,
  ...endScenarios,
  ...listenerScenarios,
  ...datagramScenarios,
];
const HANG_MS = 30_000;
const LOOPBACK = "127.0.0.1";
/**
 * On Linux all of 127.0.0.0/8 is this machine. An address of its own keeps ports that a scenario counts on being free apart
 * from those of tests that run beside it.
 */
const OWN_LOOPBACK =
  process.platform === "linux" ? `127.99.${(process.pid >> 7) & 127}.${(process.pid & 127) + 1}` : LOOPBACK;

async function on(ground: Ground, scenario: Scenario): Promise<Outcome> {
  const scene = new Scene(ground);
  try {
    return await scenario.run(scene);
  } finally {
    await scene.close();
  }
}

async function inWorld(
  options: SimulateOptions,
  scenario: Scenario,
  groundOf: (world: World) => Ground,
): Promise<Outcome> {
  const { value } = await check(options, async (world) => await on(groundOf(world), scenario));
  return value;
}

function oneMachine(world: World): Ground {
  const { network } = world.host("alone");
  return { name: "one host", server: network, client: network, serverHost: LOOPBACK, clientHost: LOOPBACK };
}

function twoMachines(world: World): Ground {
  const [client, server] = [world.host("client").network, world.host("server").network];
  return { name: "two hosts", server, client, serverHost: "192.0.2.2", clientHost: "192.0.2.1" };
}

const kernel: Ground = {
  name: "the kernel",
  server: nodeNetwork,
  client: nodeNetwork,
  serverHost: LOOPBACK,
  clientHost: LOOPBACK,
};

const linux = process.platform === "linux";

/** Where each scenario runs. */
const GROUNDS: Readonly<Record<string, (scenario: Scenario) => Promise<Outcome>>> = {
  "on the kernel's sockets": (scenario) =>
    on(
      scenario.freePorts === true ? { ...kernel, serverHost: OWN_LOOPBACK, clientHost: OWN_LOOPBACK } : kernel,
      scenario,
    ),
  "on one simulated host": (scenario) => inWorld({ seed: 1 }, scenario, oneMachine),
  "between two simulated hosts": (scenario) => inWorld({ seed: 2, link: { latency: 0.2 } }, scenario, twoMachines),
  "between two simulated hosts, in an order that the seed permutes": (scenario) =>
    inWorld(
      { seed: 3, explore: true, link: { latency: { kind: "uniform", fromMs: 0, toMs: 1 } } },
      scenario,
      twoMachines,
    ),
};

for (const [name, run] of Object.entries(GROUNDS)) {
  void describe(name, { concurrency: false }, () => {
    for (const scenario of SCENARIOS) {
      const skipped = name.startsWith("between") && scenario.oneMachine === true;
      if (skipped) continue;
      // Other systems treat broadcast and groups on the loopback interface in other ways.
      const skip = name.startsWith("on the kernel") && scenario.oneMachine === true && !linux;
      void it(scenario.name, { timeout: HANG_MS, skip }, async () => {
        assert.deepEqual(await run(scenario), scenario.outcome);
      });
    }
  });
}

void it("there are enough scenarios, and no two have one name", () => {
  assert.ok(SCENARIOS.length >= 50, String(SCENARIOS.length));
  assert.equal(new Set(SCENARIOS.map(({ name }) => name)).size, SCENARIOS.length);
});
