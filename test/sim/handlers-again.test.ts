import assert from "node:assert/strict";
import { test } from "node:test";
import type { Network } from "../../src/index.ts";
import {
  call,
  connectSession,
  contract,
  event,
  memoryJournal,
  serveSessions,
  type SessionJournal,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { check, type Host, type World } from "../../src/sim.ts";

/* Servers with a journal that die while handlers run: what the handlers of the next server learn. */

interface Run {
  readonly what: string;
  readonly messageId: string;
  readonly redelivered: boolean;
}

const work = contract("work", "1.0.0", {
  server: {
    note: event<string>(),
    wait: call<number, string>(),
    items: stream({ request: typeOnly<string>(), sends: typeOnly<string>() }),
  },
});

/** A server on the host `name`, which writes down what its handlers are told. */
function serverAt(world: World, journal: SessionJournal, name: string, runs: Run[]): Host {
  return world.host(name, async (network) => {
    await serveSessions(work, "tcp://0.0.0.0:7000", {
      network,
      journal,
      timeouts: { heartbeatMs: 1000 },
      handlers: {
        note(what, { messageId, redelivered }) {
          runs.push({ what, messageId, redelivered });
        },
        async wait(ms, { messageId, redelivered }) {
          runs.push({ what: `wait ${ms}`, messageId, redelivered });
          await new Promise<void>((resolve) => void network.clock.setTimer(resolve, ms));
          return `waited ${ms}`;
        },
        async *items(what, _stream, { messageId, redelivered }) {
          runs.push({ what, messageId, redelivered });
          for (let item = 1; ; item += 1) {
            yield `${what} ${item}`;
            await new Promise<void>((resolve) => void network.clock.setTimer(resolve, 20));
          }
        },
      },
    });
  });
}

async function join(network: Network, servers: string | readonly string[]) {
  return await connectSession(work, servers, {
    network,
    timeouts: { heartbeatMs: 1000 },
    reconnect: { initialDelayMs: 20, maxDelayMs: 200 },
  });
}

test("what may have run before a crash is redelivered, with the same name; what comes new is not", async () => {
  await check({ seed: 1, link: { latency: 5 } }, async (world) => {
    const runs: Run[] = [];
    const server = serverAt(world, memoryJournal({ clock: world.clock }), "server", runs);
    const session = await join(world.host("client").network, "tcp://server:7000");
    const { id } = session;
    await session.remote.note("one");
    const waited = session.remote.wait(300);
    await world.sleep(100);
    server.crash();
    server.restart();
    assert.equal(await waited, "waited 300");
    await session.remote.note("two");
    assert.equal(await session.remote.wait(1), "waited 1");
    assert.equal(session.id, id);
    assert.deepEqual(runs, [
      { what: "one", messageId: `${id}/1`, redelivered: false },
      { what: "wait 300", messageId: `${id}/2`, redelivered: false },
      { what: "wait 300", messageId: `${id}/2`, redelivered: true },
      { what: "two", messageId: `${id}/3`, redelivered: false },
      { what: "wait 1", messageId: `${id}/4`, redelivered: false },
    ]);
    await session.close({ timeoutMs: 0 });
  });
});

test("a connection that is lost, to a server that goes on, redelivers nothing", async () => {
  await check({ seed: 1, link: { latency: 5 } }, async (world) => {
    const runs: Run[] = [];
    serverAt(world, memoryJournal({ clock: world.clock }), "server", runs);
    const session = await join(world.host("client").network, "tcp://server:7000");
    const waited = session.remote.wait(4000);
    await world.sleep(100);
    const cut = world.partition("client", "server");
    await world.sleep(3500);
    cut.heal();
    assert.equal(await waited, "waited 4000");
    await session.remote.note("two");
    assert.equal(await session.remote.wait(1), "waited 1");
    assert.deepEqual(
      runs.map(({ redelivered }) => redelivered),
      [false, false, false],
    );
    await session.close({ timeoutMs: 0 });
  });
});

test("a stream does not move: its handler does not begin again", async () => {
  await check({ seed: 1, link: { latency: 5 } }, async (world) => {
    const runs: Run[] = [];
    const server = serverAt(world, memoryJournal({ clock: world.clock }), "server", runs);
    const session = await join(world.host("client").network, "tcp://server:7000");
    // A call before it that is not finished, so that nothing of it is acknowledged.
    const waited = session.remote.wait(200);
    const items = session.remote.items("a");
    const failed = (async () => {
      for await (const item of items) assert.equal(item.length, 3);
    })().catch((error: { readonly code: string }) => error.code);
    await world.sleep(100);
    server.crash();
    server.restart();
    assert.equal(await failed, "SESSION_MOVED");
    assert.equal(await waited, "waited 200");
    assert.deepEqual(
      runs.map(({ what }) => what),
      ["wait 200", "a", "wait 200"],
    );
    // Another one is opened.
    for await (const item of session.remote.items("b")) {
      assert.equal(item, "b 1");
      break;
    }
    await session.close({ timeoutMs: 0 });
  });
});
