import assert from "node:assert/strict";
import { test } from "node:test";
import type { Network } from "../../src/index.ts";
import {
  call,
  connectSession,
  contract,
  memoryJournal,
  serveSessions,
  type SessionJournal,
} from "../../src/protocol.ts";
import { check, type World } from "../../src/sim.ts";
import { FaultyJournal } from "../../src/testing.ts";

/* Who is there, at three servers: approximately at once, and exactly when one asks. */

const room = contract("room", "1.0.0", { server: { join: call<string, void>(), leave: call<string, void>() } });

type Server = Awaited<ReturnType<typeof serveRoom>>;

async function serveRoom(network: Network, journal: SessionJournal) {
  return await serveSessions(room, "tcp://0.0.0.0:7000", {
    network,
    journal,
    authenticate: ({ auth }) => String(auth),
    handlers: {
      join: (name, { session, server }) => void server.group(name).join(session),
      leave: (name, { session, server }) => void server.group(name).leave(session),
    },
  });
}

const NAMES = ["a", "b", "c"] as const;

/** Three servers with one journal, of which a test loses what is published. */
function scene(world: World) {
  const journal = memoryJournal({ clock: world.clock });
  const servers = new Map<string, Server>();
  const faulty: FaultyJournal[] = [];
  const hosts = NAMES.map((name) =>
    world.host(name, async (network) => {
      const own = new FaultyJournal(journal, network.clock);
      faulty.push(own);
      servers.set(name, await serveRoom(network, own));
    }),
  );
  const { network } = world.host("clients");
  return {
    hosts,
    faulty,
    at: (name: string) => servers.get(name) as Server,
    join: async (name: string, principal: string) => {
      const session = await connectSession(room, `tcp://${name}:7000`, {
        network,
        auth: principal,
        handlers: {},
        retry: {},
      });
      await session.remote.join("plaza");
      return session;
    },
  };
}

test("each server counts the sessions of all, and forgets a server that is silent", async () => {
  await check({ seed: 1 }, async (world) => {
    const { hosts, at, join } = scene(world);
    const ana = await join("a", "ana");
    await join("b", "ana");
    await join("b", "leo");
    await world.sleep(2_100);
    for (const name of NAMES) {
      const { size, ageMs } = at(name).group("plaza").count();
      assert.equal(size, 3, name);
      assert.ok(ageMs <= 1_000, `${name}: ${ageMs} ms`);
      assert.equal(at(name).principal("ana").count().size, 2);
      assert.deepEqual([at(name).group("nobody").count().size, at(name).principal("eva").count().size], [0, 0]);
    }
    await ana.remote.leave("plaza");
    await world.sleep(1_100);
    assert.equal(at("c").group("plaza").count().size, 2);
    assert.equal(at("c").principal("ana").count().size, 2);
    hosts[1]?.crash();
    await world.sleep(3_100);
    assert.equal(at("c").group("plaza").count().size, 0);
    await at("a").close();
    assert.deepEqual(at("c").principal("ana").count(), { size: 0, ageMs: 0 });
  });
});

test("what is lost between servers is said again", async () => {
  await check({ seed: 1 }, async (world) => {
    const { faulty, at, join } = scene(world);
    for (const name of NAMES) await join(name, name);
    for (const journal of faulty)
      journal.fault = (step) =>
        step === "publish" && world.random.next() < 0.5 ? { outcome: "call lost" } : undefined;
    for (let turn = 0; turn < 20; turn += 1) {
      await join(NAMES[turn % 3] as string, `more ${turn}`);
      await world.sleep(200);
    }
    for (const journal of faulty) journal.fault = undefined;
    await world.sleep(5_000);
    for (const name of NAMES) {
      const { size, ageMs } = at(name).group("plaza").count();
      assert.equal(size, 23);
      assert.ok(ageMs <= 1_000, `${name}: ${ageMs} ms`);
    }
  });
});

test("members are exact when one asks, and who does not answer is counted", async () => {
  await check({ seed: 1 }, async (world) => {
    const { hosts, faulty, at, join } = scene(world);
    const sessions = [await join("a", "ana"), await join("b", "leo"), await join("c", "ana")];
    await world.sleep(1_100);
    const whole = await at("a").group("plaza").members();
    assert.deepEqual([whole.asked, whole.answered], [3, 3]);
    const listed = whole.members.map(({ id, principal, server, attached }) => [id, principal, server, attached]);
    const wanted = NAMES.map((name, index) => [
      sessions[index]?.id,
      ["ana", "leo", "ana"][index],
      at(name).instance,
      true,
    ]);
    assert.deepEqual(listed.map(String).sort(), wanted.map(String).sort());
    const anas = await at("b").principal("ana").members({ timeoutMs: 100 });
    assert.deepEqual(anas.members.map(({ server }) => server).sort(), [at("a").instance, at("c").instance].sort());
    const one = await at("b")
      .session(sessions[0]?.id ?? "")
      .members();
    assert.deepEqual(
      one.members.map(({ server }) => server),
      [at("a").instance],
    );

    // What follows a journal in memory outlives its host, so it is cut off from the journal too.
    hosts[2]?.crash();
    for (const journal of faulty.slice(2)) journal.away = true;
    const began = world.clock.now();
    const without = await at("a").group("plaza").members({ timeoutMs: 250 });
    assert.deepEqual([without.members.length, without.asked, without.answered], [2, 3, 2]);
    assert.ok(world.clock.now() - began >= 250);
    for (const journal of faulty) journal.away = true;
    const alone = await at("a").group("plaza").members({ timeoutMs: 250 });
    assert.deepEqual([alone.members.length, alone.answered], [1, 1]);
    const waiting = at("a").group("plaza").members({ timeoutMs: 60_000 });
    at("a").abort();
    await waiting;
  });
});

test("without a journal a server answers what it has", async () => {
  await check({ seed: 1 }, async (world) => {
    const { network } = world.host("server");
    await using server = await serveSessions(room, "tcp://0.0.0.0:7000", {
      network,
      handlers: {
        join: (name, { session, server: all }) => void all.group(name).join(session),
        leave: () => undefined,
      },
    });
    const session = await connectSession(room, "tcp://server:7000", {
      network: world.host("client").network,
      handlers: {},
    });
    await session.remote.join("plaza");
    assert.deepEqual(server.group("plaza").count(), { size: 1, ageMs: 0 });
    const { members, asked, answered } = await server.group("plaza").members();
    assert.deepEqual(
      [members, asked, answered],
      [[{ id: session.id, principal: session.id, server: server.instance, attached: true }], 1, 1],
    );
    await assert.rejects(server.group("plaza").members({ timeoutMs: -1 }), { code: "OPTION_INVALID" });
    await session.close();
  });
});
