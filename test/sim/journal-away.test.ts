import assert from "node:assert/strict";
import { test } from "node:test";
import type { ZocaloError } from "../../src/index.ts";
import {
  call,
  connectSession,
  contract,
  event,
  memoryJournal,
  serveSessions,
  type SessionJournal,
} from "../../src/protocol.ts";
import { check, type World } from "../../src/sim.ts";
import { FaultyJournal } from "../../src/testing.ts";

/* The store of the journal is away for long: clients are sent away, and keep their sessions (docs/semantics.md, rule D15). */

const counter = contract("counter", "1.0.0", {
  server: { add: event<number>(), sum: call<void, number>() },
});

/** A server on the host `name`, whose way to the store can be cut. */
async function serveAt(world: World, store: SessionJournal, name: string, journalStallMs?: number) {
  const { network } = world.host(name);
  const journal = new FaultyJournal(store, network.clock);
  const server = await serveSessions(counter, "tcp://0.0.0.0:7000", {
    network,
    journal,
    journalStallMs,
    timeouts: { heartbeatMs: 1000 },
    data: () => ({ sum: 0 }),
    handlers: {
      add: (number, { session }) => void (session.data.sum += number),
      sum: (_nothing, { session }) => session.data.sum,
    },
  });
  return { journal, server };
}

async function join(world: World, name: string, servers: string | readonly string[]) {
  const fresh: unknown[] = [];
  const { network } = world.host(name);
  const session = await connectSession(counter, servers, {
    network,
    timeouts: { heartbeatMs: 1000, callMs: Infinity },
    retry: {},
    onReady: (_session, report) => void (report.reason === "first" || fresh.push(report)),
  });
  return { session, fresh, now: () => network.clock.now() };
}

test("one server of two cannot reach the store: its clients go to the other one, and lose nothing", async () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    await check({ seed, link: { latency: 5 } }, async (world) => {
      const store = memoryJournal({ clock: world.clock });
      const servers = new Map([
        ["a", await serveAt(world, store, "a")],
        ["b", await serveAt(world, store, "b")],
      ]);
      const addresses = [...servers.keys()].map((name) => `tcp://${name}:7000`);
      const clients = await Promise.all([1, 2, 3, 4].map((number) => join(world, `client${number}`, addresses)));
      for (const { session } of clients) await session.remote.add(1);
      const sums = clients.map(({ session }) => session.remote.sum());
      assert.deepEqual(await Promise.all(sums), [1, 1, 1, 1]);
      const { journal, server } = servers.get("a") as Awaited<ReturnType<typeof serveAt>>;
      journal.away = true;
      const cutAt = clients[0]?.now() ?? 0;
      for (const { session } of clients) await session.remote.add(10);
      const later = clients.map(async ({ session, now }) => [await session.remote.sum(), now() - cutAt] as const);
      for (const [sum, afterMs] of await Promise.all(later)) {
        assert.equal(sum, 11, `seed ${seed}`);
        // Ten seconds of waiting, one until they come back, and what the spread adds.
        assert.ok(afterMs < 13_000, `seed ${seed}: ${afterMs} ms`);
      }
      const detached = server.stats.sessions - server.stats.detached;
      assert.equal(detached, 0, `seed ${seed}: clients are still at the server`);
      journal.away = false;
      await world.sleep(5000);
      assert.equal(server.stats.sessions, 0, `seed ${seed}: it still has sessions of the other server`);
      for (const { session, fresh } of clients) {
        assert.deepEqual(fresh, []);
        await session.close({ timeoutMs: 0 });
      }
    });
  }
});

test("a server closes while it cannot reach the store: in its time, and its client loses nothing", async () => {
  for (const timeoutMs of [0, 2000]) {
    await check({ seed: 1, link: { latency: 5 } }, async (world) => {
      const store = memoryJournal({ clock: world.clock });
      const { journal, server } = await serveAt(world, store, "a");
      const { session, fresh, now } = await join(world, "client", ["tcp://a:7000", "tcp://b:7000"]);
      await session.remote.add(1);
      assert.equal(await session.remote.sum(), 1);
      journal.away = true;
      await session.remote.add(10);
      const waiting = session.remote.sum();
      await world.sleep(500);
      const { server: other } = await serveAt(world, store, "b");
      const closedAt = now();
      await server.close({ timeoutMs });
      // What cannot be written is given up when the time is up.
      assert.ok(now() - closedAt <= timeoutMs + 100, `${now() - closedAt} ms`);
      assert.equal(await waiting, 11);
      assert.deepEqual([fresh, other.stats.sessions], [[], 1]);
      await session.close({ timeoutMs: 0 });
    });
  }
});

test("the only server: clients are refused with a time while the store is away, and go on when it is back", async () => {
  await check({ seed: 1, link: { latency: 5 } }, async (world) => {
    const { journal } = await serveAt(world, memoryJournal({ clock: world.clock }), "server", 3000);
    const { session, fresh } = await join(world, "client", "tcp://server:7000");
    const { id } = session;
    await session.remote.add(1);
    assert.equal(await session.remote.sum(), 1);
    journal.away = true;
    const waiting = session.remote.sum();
    await session.remote.add(10);
    await world.sleep(2900);
    assert.equal(session.state, "open");
    await world.sleep(1000);
    assert.notEqual(session.state, "open");
    const { network } = world.host("stranger");
    const refused = await connectSession(counter, "tcp://server:7000", { network }).catch(
      (error: ZocaloError) => error,
    );
    assert.equal((refused as ZocaloError).code, "SERVER_BUSY");
    await world.sleep(20_000);
    journal.away = false;
    assert.equal(await waiting, 1);
    assert.equal(await session.remote.sum(), 11);
    assert.deepEqual([session.id, fresh], [id, []]);
    const stranger = await connectSession(counter, "tcp://server:7000", { network });
    await stranger.close({ timeoutMs: 0 });
    await session.close({ timeoutMs: 0 });
  });
});

test("a store that is away for a moment: clients stay, and wait", async () => {
  await check({ seed: 1, link: { latency: 5 } }, async (world) => {
    const { journal } = await serveAt(world, memoryJournal({ clock: world.clock }), "server");
    const { session } = await join(world, "client", "tcp://server:7000");
    journal.away = true;
    await session.remote.add(1);
    const waiting = session.remote.sum();
    for (let second = 0; second < 8; second += 1) {
      await world.sleep(1000);
      assert.equal(session.state, "open");
    }
    journal.away = false;
    assert.equal(await waiting, 1);
    await session.close({ timeoutMs: 0 });
  });
});
