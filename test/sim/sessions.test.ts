import assert from "node:assert/strict";
import { test } from "node:test";
import type { Network } from "../../src/index.ts";
import { call, contract, event, type ReadyReport, connectSession, serveSessions } from "../../src/protocol.ts";
import { check } from "../../src/sim.ts";
import { gate } from "../fixtures/gate.ts";

/* The same sessions in the simulated world: lost connections, a server that crashes, time that is decided by the seed. */

const work = contract("work", "1.0.0", {
  server: { add: event<number>(), sum: call<void, number>() },
  client: { tick: event<number>() },
});

async function serveWork(network: Network): Promise<void> {
  const numbers: number[] = [];
  await serveSessions(work, "tcp://0.0.0.0:7000", {
    network,
    timeouts: { heartbeatMs: 1000 },
    onOpen: async (session) => {
      for (let number = 1; number <= 20; number += 1) await session.remote.tick(number);
    },
    handlers: {
      add: (number) => void numbers.push(number),
      sum: () => numbers.reduce((sum, next) => sum + next, 0),
    },
  });
}

test("a session resumes behind a partition, and the same seed gives the same run", async () => {
  const { value } = await check({ seed: 7, link: { latency: 10 } }, async (world) => {
    world.host("server", serveWork);
    const { network } = world.host("client");
    const heard: number[] = [];
    let resumed = 0;
    const session = await connectSession(work, "tcp://server:7000", {
      network,
      timeouts: { heartbeatMs: 1000 },
      onResume: () => void (resumed += 1),
      handlers: { tick: (number) => void heard.push(number) },
    });
    for (let number = 1; number <= 100; number += 1) {
      await session.remote.add(number);
      if (number === 50) {
        const cut = world.partition("client", "server");
        await world.sleep(5000);
        cut.heal();
      }
    }
    const sum = await session.remote.sum(undefined, { timeoutMs: Infinity });
    await session.close({ timeoutMs: 0 });
    return { sum, resumed, heard };
  });
  assert.equal(value.sum, 5050);
  assert.ok(value.resumed >= 1);
  assert.deepEqual(
    value.heard,
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
});

test("a server that crashes and starts again: the client has a fresh session", async () => {
  const { value } = await check({ seed: 3, link: { latency: 5 } }, async (world) => {
    const server = world.host("server", serveWork);
    const { network } = world.host("client");
    const { open: tell, opened: fresh } = gate<ReadyReport>();
    const session = await connectSession(work, "tcp://server:7000", {
      network,
      timeouts: { heartbeatMs: 1000 },
      onReady: (_session, report) => void (report.reason === "first" || tell(report)),
      handlers: { tick: () => undefined },
    });
    const { id } = session;
    await session.remote.add(1);
    assert.equal(await session.remote.sum(), 1);
    server.crash();
    server.restart();
    const { reason } = await fresh;
    assert.notEqual(session.id, id);
    const sum = await session.remote.sum();
    await session.close({ timeoutMs: 0 });
    return { reason, sum };
  });
  assert.deepEqual(value, { reason: "server-restarted", sum: 0 });
});
