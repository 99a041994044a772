import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/index.ts";
import { connectSession, contract, event, memoryJournal, serveSessions } from "../../src/protocol.ts";
import { check } from "../../src/sim.ts";
import { RawClient } from "./raw-client.ts";

const desk = contract("desk", "1.0.0", {
  server: { moved: event<number>(undefined, { volatile: true }), wrote: event<number>() },
  client: { saw: event<number>(undefined, { volatile: true }), read: event<number>() },
});

test("both sides hear volatile events while they are connected, and those of before never", async () => {
  await check({ seed: 1 }, async (world) => {
    const [at, of] = [[] as unknown[], [] as unknown[]];
    const { network } = world.host("server");
    await using server = await serveSessions(desk, "tcp://0.0.0.0:7000", {
      network,
      timeouts: { heartbeatMs: 200 },
      handlers: { moved: (x, { metadata }) => void at.push([x, metadata["who"]]), wrote: (x) => void at.push(x) },
    });
    const session = await connectSession(desk, "tcp://server:7000", {
      network: world.host("client").network,
      timeouts: { heartbeatMs: 200 },
      reconnect: { initialDelayMs: 20, maxDelayMs: 100 },
      handlers: { saw: (x) => void of.push(x), read: (x) => void of.push(x) },
    });
    const [there] = server.sessions.values();
    assert.ok(there);
    await session.remote.moved(1, { metadata: { who: "ana" } });
    await there.remote.saw(1);
    await world.sleep(100);
    assert.deepEqual([at, of], [[[1, "ana"]], [1]]);

    const cut = world.partition("client", "server");
    await world.sleep(1_500);
    assert.equal(session.state, "detached");
    await session.remote.moved(2);
    const kept = session.remote.wrote(3);
    assert.deepEqual(server.remote.saw(2), { sent: 0, waiting: 0, dropped: 1 });
    void there.remote.read(3);
    cut.heal();
    await kept;
    await world.sleep(1_500);
    assert.deepEqual(
      [at, of],
      [
        [[1, "ana"], 3],
        [1, 3],
      ],
    );
    assert.equal(session.stats.droppedEvents, 1);
    await session.close();
    await assert.rejects(session.remote.moved(4), { code: "CLOSED" });
  });
});

test("what waits for a slow handler is bounded, and the newest are dropped", async () => {
  await check({ seed: 1 }, async (world) => {
    const heard: number[] = [];
    let go = (): void => undefined;
    const { network } = world.host("server");
    await using server = await serveSessions(desk, "tcp://0.0.0.0:7000", {
      network,
      handlers: {
        moved: (x) => void heard.push(x),
        wrote: (x) => {
          heard.push(x);
          return x === 1 ? new Promise<void>((resolve) => (go = resolve)) : undefined;
        },
      },
    });
    const session = await connectSession(desk, "tcp://server:7000", {
      network: world.host("client").network,
      handlers: { saw: () => undefined, read: () => undefined },
    });
    await session.remote.wrote(1);
    await world.sleep(50);
    for (let x = 0; x < 20; x += 1) {
      for (let each = 0; each < 100; each += 1) void session.remote.moved(1_000 + x * 100 + each);
      await world.sleep(10);
    }
    await session.remote.wrote(2);
    await world.sleep(100);
    assert.deepEqual(heard, [1]);
    go();
    await world.sleep(100);
    const moved = heard.filter((x) => x >= 1_000);
    assert.ok(moved.length > 100 && moved.length < 1_000, `${moved.length} have waited`);
    assert.deepEqual(
      moved,
      moved.map((_, index) => 1_000 + index),
    );
    assert.deepEqual([heard[0], heard.at(-1)], [1, 2]);
    await session.remote.moved(7);
    await world.sleep(100);
    assert.equal(heard.at(-1), 7);
    await session.close();
    assert.equal(server.sessions.size, 0);
  });
});

test("a volatile broadcast reaches a group at all servers, and takes no place in the log", async () => {
  await check({ seed: 1 }, async (world) => {
    const journal = memoryJournal({ clock: world.clock });
    const places: number[] = [];
    await journal.open({ keptMs: 60_000 });
    await journal.follow(undefined, {
      entries: (entries) => void places.push(...entries.map(({ place }) => place)),
      gap: () => undefined,
    });
    const serve = async (name: string) =>
      await serveSessions(desk, "tcp://0.0.0.0:7000", {
        network: world.host(name).network,
        journal,
        handlers: { moved: (x, { server }) => void server.group("all").remote.saw(x), wrote: () => undefined },
        onOpen: (session, server) => void server.group("all").join(session),
      });
    const servers = [await serve("a"), await serve("b")];
    const heard: unknown[] = [];
    const { network } = world.host("clients");
    const handlers = { saw: (x: number) => void heard.push(x), read: (x: number) => void heard.push(x) };
    const sessions = [
      await connectSession(desk, "tcp://a:7000", { network, handlers }),
      await connectSession(desk, "tcp://b:7000", { network, handlers }),
    ] as const;
    await world.sleep(50);
    for (const x of [1, 2]) await sessions[0].remote.moved(x);
    await world.sleep(50);
    assert.deepEqual(
      heard.map(Number).sort((a, b) => a - b),
      [1, 1, 2, 2],
    );
    assert.deepEqual(places, []);
    const report = servers[0]?.remote.saw(3);
    assert.deepEqual(report, { sent: 0, waiting: 1, dropped: 0 });
    await world.sleep(50);
    assert.deepEqual(heard.slice(4), [3, 3]);
    assert.throws(() => servers[0]?.remote.saw("x".repeat(70_000) as never), { code: "FRAME_TOO_LONG" });
    await Promise.all(sessions.map((session) => session.close()));
    await Promise.all(servers.map((server) => server.close()));
    await journal.close();
  });
});

test("a member whose client is older hears them as ordinary events; those in except hear nothing, at any server", async () => {
  await check({ seed: 1 }, async (world) => {
    const journal = memoryJournal({ clock: world.clock });
    const serve = async (name: string) =>
      await serveSessions(desk, "tcp://0.0.0.0:7000", {
        network: world.host(name).network,
        journal,
        handlers: { moved: () => undefined, wrote: () => undefined },
        onOpen: (session, server) => void server.group("all").join(session),
      });
    const [a, b] = [await serve("a"), await serve("b")];
    const { network } = world.host("clients");
    const heard: string[] = [];
    const come = async (name: string, host: string) => {
      const hear = (x: number) => void heard.push(`${name} ${x}`);
      return await connectSession(desk, `tcp://${host}:7000`, { network, handlers: { saw: hear, read: hear } });
    };
    const [ana, berta] = [await come("ana", "a"), await come("berta", "b")];
    const socket = await connect("tcp://b:7000", { network });
    const older = new RawClient(socket.interop.toNodeStream());
    const { session } = await older.hello("desk", { offers: ["read", "saw"] });
    await world.sleep(50);
    const SAW = 1;
    for (const [x, except] of [[1], [2, ana], [3, [{ id: session as string }, berta]], [4]] as const) {
      a.group("all").remote.saw(x, { except });
      await world.sleep(50);
    }
    const events: unknown[] = [];
    while (events.at(-1) !== 4) {
      const { type, payload } = await older.frame();
      // A client without the feature knows neither SHARED nor PLACE.
      assert.ok(type !== 0x16 && type !== 0x17, `frame ${type}`);
      if (type !== 0x40) continue;
      assert.equal(payload.readUInt16BE(0), SAW);
      events.push(JSON.parse(payload.toString("utf8", 2)));
    }
    assert.deepEqual(events, [1, 2, 4]);
    assert.deepEqual(heard.sort(), ["ana 1", "ana 3", "ana 4", "berta 1", "berta 2", "berta 4"]);
    older.close();
    await Promise.all([ana.close(), berta.close()]);
    await Promise.all([a.close(), b.close()]);
  });
});
