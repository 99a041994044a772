import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectError, type Network, serve } from "../../src/index.ts";
import { call, contract, connectSession, type Session, serveSessions } from "../../src/protocol.ts";
import { check, type Host, type World } from "../../src/sim.ts";

/* Clients that know several servers. */

const room = contract("room", "1.0.0", { server: { who: call<void, string>() } });
const NAMES = ["ana", "berta", "carla"];
const SERVERS = NAMES.map((name) => `tcp://${name}:7000`);

/** A server that names its host. */
function serveRoom(world: World, name: string): Host {
  return world.host(name, async (network: Network) => {
    await serveSessions(room, "tcp://0.0.0.0:7000", { network, handlers: { who: () => name } });
  });
}

/** How many sessions each server has. */
async function counts(sessions: readonly Session<typeof room.server>[]): Promise<Record<string, number>> {
  const result: Record<string, number> = {};
  for (const name of await Promise.all(sessions.map((session) => session.remote.who())))
    result[name] = (result[name] ?? 0) + 1;
  return result;
}

// The rules are those of docs/semantics.md.
test("rule D13: clients spread evenly over their servers, over the others when one dies, and ask the dead one once in a round", async () => {
  const { value } = await check({ seed: 3, link: { latency: 2 } }, async (world) => {
    const hosts = NAMES.map((name) => serveRoom(world, name));
    const { network } = world.host("clients");
    let tries = 0;
    const sessions = await Promise.all(
      Array.from({ length: 120 }, () =>
        connectSession(room, SERVERS, {
          network,
          onReconnecting: (_session, { phase }) => {
            if (phase === "connecting") tries += 1;
          },
        }),
      ),
    );
    const before = await counts(sessions);
    hosts[0]?.crash();
    // The host is gone: its connections are found dead by their heartbeat.
    await world.sleep(60_000);
    const after = await counts(sessions);
    await Promise.all(sessions.map((session) => session.close({ timeoutMs: 0 })));
    return { before, after, tries };
  });
  const { before, after, tries } = value;
  for (const name of NAMES) assert.ok((before[name] ?? 0) >= 25 && (before[name] ?? 0) <= 55, JSON.stringify(before));
  assert.equal(after["ana"], undefined);
  const gained = NAMES.slice(1).map((name) => (after[name] ?? 0) - (before[name] ?? 0));
  assert.ok(Math.min(...gained) >= (before["ana"] ?? 0) / 4, JSON.stringify({ before, after }));
  // Each client that has lost it asks it once more, then the next one.
  assert.equal(tries, 2 * (before["ana"] ?? 0));
});

test("rule D13: after the loss of a server clients are with the next one within 30 ms and what the connections take", async () => {
  const latency = 2;
  const { value } = await check({ seed: 6, link: { latency } }, async (world) => {
    let lives = 0;
    const ana = world.host("ana", async (network) => {
      lives += 1;
      if (lives === 1) await serveSessions(room, "tcp://0.0.0.0:7000", { network, handlers: { who: () => "ana" } });
    });
    const { network } = world.host("clients");
    const lostAt: number[] = [];
    const awayMs: number[] = [];
    const sessions = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        connectSession(room, SERVERS.slice(0, 2), {
          network,
          timeouts: { heartbeatMs: 500 },
          onDetach: () => (lostAt[index] = world.clock.now()),
          onReady: (_session, { reason }) =>
            void (reason === "first" || awayMs.push(world.clock.now() - (lostAt[index] as number))),
        }),
      ),
    );
    serveRoom(world, "berta");
    // Its machine is there and its program is not: connections are reset when they are used, and new ones are refused.
    ana.crash();
    ana.restart();
    while (awayMs.length < sessions.length) await world.sleep(10);
    await Promise.all(sessions.map((session) => session.close({ timeoutMs: 0 })));
    return awayMs.sort((one, other) => one - other);
  });
  // One is refused, one is made, and the handshake: three round trips.
  const wayMs = 3 * 2 * latency + 10;
  assert.ok((value.at(-1) as number) <= 30 + wayMs, `${value.at(-1)} ms`);
  assert.ok((value[30] as number) >= 15, `half of them within ${value[30]} ms: they are spread`);
});

test("rule D13: a client whose connection is lost goes back to the server that has its session", async () => {
  const { value } = await check({ seed: 4, link: { latency: 2 } }, async (world) => {
    for (const name of NAMES) serveRoom(world, name);
    const { network } = world.host("client");
    const told: string[] = [];
    const session = await connectSession(room, SERVERS, {
      network,
      timeouts: { heartbeatMs: 500 },
      onResume: () => told.push("resumed"),
    });
    const first = await session.remote.who();
    const cut = world.partition("client", first);
    while (session.state === "open") await world.sleep(100);
    cut.heal();
    const second = await session.remote.who();
    await session.close({ timeoutMs: 0 });
    return { same: first === second, told };
  });
  assert.deepEqual(value, { same: true, told: ["resumed"] });
});

test("rule D13: a server that takes connections and says nothing holds up who comes back for two seconds", async () => {
  const { value } = await check({ seed: 5, link: { latency: 2 } }, async (world) => {
    let starts = 0;
    const ana = world.host("ana", async (network) => {
      starts += 1;
      if (starts === 1) await serveSessions(room, "tcp://0.0.0.0:7000", { network, handlers: { who: () => "ana" } });
      else await serve("tcp://0.0.0.0:7000", () => new Promise(() => undefined), { network });
    });
    const { network } = world.host("client");
    const session = await connectSession(room, SERVERS.slice(0, 2), { network, timeouts: { heartbeatMs: 500 } });
    serveRoom(world, "berta");
    ana.crash();
    ana.restart();
    while (session.state === "open") await world.sleep(10);
    const startedAt = world.clock.now();
    const who = await session.remote.who();
    const awayMs = world.clock.now() - startedAt;
    await session.close({ timeoutMs: 0 });
    return { who, awayMs };
  });
  assert.equal(value.who, "berta");
  assert.ok(value.awayMs > 2_000 && value.awayMs < 4_000, `${value.awayMs} ms`);
});

test("rule D13: a server that does not answer costs two seconds, then the next one is asked; when none answers, the error names all", async () => {
  const { value } = await check({ seed: 5, link: { latency: 2 } }, async (world) => {
    for (const name of NAMES) serveRoom(world, name);
    const { network } = world.host("client");
    const silent = ["ana", "berta"].map((name) => world.partition("client", name));
    const longest = { ms: 0 };
    for (let count = 0; count < 12; count += 1) {
      const startedAt = network.clock.now();
      const session = await connectSession(room, SERVERS, { network });
      longest.ms = Math.max(longest.ms, network.clock.now() - startedAt);
      assert.equal(await session.remote.who(), "carla");
      await session.close({ timeoutMs: 0 });
    }
    world.partition("client", "carla");
    const startedAt = network.clock.now();
    const error = await connectSession(room, SERVERS, { network, timeoutMs: 5000 }).catch(
      (reason: unknown) => reason as ConnectError,
    );
    const { code, attempts } = error as ConnectError;
    const addresses = attempts.map(({ address }) => address).sort();
    const afterMs = network.clock.now() - startedAt;
    for (const cut of silent) cut.heal();
    return { longestMs: longest.ms, code, addresses, afterMs };
  });
  const { longestMs, ...rest } = value;
  assert.ok(longestMs >= 4000 && longestMs < 4100, String(longestMs));
  assert.deepEqual(rest, { code: "TIMEOUT", addresses: SERVERS, afterMs: 5000 });
});
