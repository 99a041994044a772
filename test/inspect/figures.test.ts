import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { bind, connect, listen, pair, serve, serveDatagrams } from "../../src/index.ts";
import { call, connectSession, contract, event, serveSessions, stream, typeOnly } from "../../src/protocol.ts";
import { check, simulate } from "../../src/sim.ts";
import { inspect } from "../../src/inspect.ts";
import { watchList } from "../../src/io/operation/diagnostics.ts";
import { listOf, rowsOf } from "./asking.ts";

/* What the inspector says is what is there. */

const work = contract("work", "1.2.0", {
  server: {
    add: call<number, number>(),
    wait: call<void, void>(),
    note: event<string>(),
    feed: stream({ sends: typeOnly<string>() }),
  },
});

test("servers, connections and datagram sockets are listed while they are open", async (t) => {
  await using inspector = await inspect();
  const { url } = inspector;
  const server = await serve("tcp://127.0.0.1:0", async (peer) => void (await peer.read()));
  const listener = await listen("tcp://127.0.0.1:0");
  const datagrams = await serveDatagrams("udp://127.0.0.1:0", () => undefined);
  const box = await bind("udp://127.0.0.1:0");
  t.after(() => box.close());
  const connection = await connect(server.localAddress);
  await connection.write("hola");
  const kinds = (await listOf(url, "/servers", "servers")).map(({ kind, address }) => [kind, address]);
  assert.deepEqual(kinds, [
    ["connections", String(server.localAddress)],
    ["listener", String(listener.localAddress)],
    ["datagrams", String(datagrams.localAddress)],
  ]);
  const own = (await listOf(url, "/connections", "connections")).find(
    ({ local }) => local === String(connection.localAddress),
  );
  assert.deepEqual([own?.["remote"], own?.["bytesSent"]], [String(server.localAddress), 4]);
  assert.deepEqual(
    (await listOf(url, "/datagrams", "datagrams")).map(({ local }) => local),
    [String(datagrams.localAddress), String(box.localAddress)],
  );
  await connection.close();
  await Promise.all([server.close(), listener.close(), datagrams.close()]);
  assert.deepEqual(await listOf(url, "/servers", "servers"), []);
  assert.deepEqual(await listOf(url, "/connections", "connections"), []);
  assert.deepEqual((await listOf(url, "/datagrams", "datagrams")).length, 1);
});

test("a session has its counters, calls and streams, and list and detail agree", async (t) => {
  await using inspector = await inspect();
  const { url } = inspector;
  const held: (() => void)[] = [];
  const server = await serveSessions(work, "tcp://127.0.0.1:0", {
    handlers: {
      add: (value) => value + 1,
      note: () => undefined,
      wait: () => new Promise((done) => held.push(done)),
      feed: async (_question, opened) =>
        void (await new Promise((done) => opened.signal.addEventListener("abort", done))),
    },
  });
  t.after(() => server.close({ timeoutMs: 0 }));
  const session = await connectSession(work, server.localAddress);
  t.after(() => session.abort());
  const waiting = session.remote.wait(undefined, { timeoutMs: 60_000 }).catch(() => undefined);
  const feed = session.remote.feed(undefined);
  assert.equal(await session.remote.add(1), 2);
  const rows = await listOf(url, "/sessions", "sessions");
  assert.deepEqual(
    rows.map(({ side, session: id, state }) => [side, id, state]),
    [
      ["server", session.id, "open"],
      ["client", session.id, "open"],
    ],
  );
  for (const row of rows) {
    const detail = await rowsOf(url, `/sessions/${String(row["id"])}`);
    for (const name of [
      "id",
      "session",
      "side",
      "state",
      "received",
      "pending",
      "runningCalls",
      "principal",
      "epoch",
    ]) {
      assert.deepEqual(detail[name], row[name], name);
    }
    assert.equal(detail["contract"], "work 1.2.0");
    const isServer = row["side"] === "server";
    const { list: calls, own, peer } = detail["calls"] as Record<string, unknown>;
    assert.deepEqual([own, peer], isServer ? [0, 1] : [1, 0]);
    const [only] = calls as Record<string, unknown>[];
    assert.deepEqual([only?.["method"], only?.["from"]], ["wait", isServer ? "peer" : "here"]);
    assert.ok((only?.["remainingMs"] as number) <= 60_000);
    const { list: streams } = detail["streams"] as Record<string, unknown>;
    const [open] = streams as Record<string, unknown>[];
    assert.deepEqual([open?.["method"], open?.["from"]], ["feed", isServer ? "peer" : "here"]);
  }
  const [{ id } = {}] = await listOf(url, "/servers", "servers");
  const ofServer = await listOf(url, `/servers/${String(id)}/sessions`, "sessions");
  assert.deepEqual(
    ofServer.map(({ side }) => side),
    ["server"],
  );
  held[0]?.();
  await waiting;
  feed.abort();
});

test("a server that was there before can be given, with its sessions", async (t) => {
  const server = await serveSessions(work, "tcp://127.0.0.1:0", {
    handlers: { add: (value: number) => value, note: () => undefined, wait: () => undefined, feed: () => undefined },
  } as never);
  t.after(() => server.close({ timeoutMs: 0 }));
  const session = await connectSession(work, server.localAddress);
  t.after(() => session.abort());
  const plain = await serve("tcp://127.0.0.1:0", async (peer) => void (await peer.read()));
  t.after(() => plain.close({ timeoutMs: 0 }));
  await using inspector = await inspect({ servers: [server] });
  assert.equal((await listOf(inspector.url, "/servers", "servers")).length, 1);
  const [listed] = await listOf(inspector.url, "/sessions", "sessions");
  assert.equal(listed?.["session"], session.id);
  inspector.add(plain);
  inspector.add(plain);
  assert.equal((await listOf(inspector.url, "/servers", "servers")).length, 2);
  assert.throws(() => inspector.add({}), { code: "OPTION_INVALID" });
  assert.throws(() => inspector.add(session), { code: "OPTION_INVALID" });
});

test("pages of sessions that come and go: who stays is seen once", async (t) => {
  await using inspector = await inspect();
  const server = await serveSessions(work, "tcp://127.0.0.1:0", {
    handlers: { add: (value: number) => value, note: () => undefined, wait: () => undefined, feed: () => undefined },
  } as never);
  t.after(() => server.close({ timeoutMs: 0 }));
  const open = () => connectSession(work, server.localAddress);
  const staying = await Promise.all(Array.from({ length: 12 }, open));
  const leaving = await Promise.all(Array.from({ length: 6 }, open));
  t.after(() => Promise.all([...staying, ...leaving].map((session) => session.close({ timeoutMs: 0 }))));
  for (const sort of ["", "&sort=age", "&sort=held", "&sort=rtt", "&sort=rate"]) {
    const seen: unknown[] = [];
    let after = "";
    for (;;) {
      const page = await rowsOf(inspector.url, `/sessions?limit=5${sort}${after}`);
      seen.push(
        ...(page["sessions"] as Record<string, unknown>[])
          .filter(({ side }) => side === "client")
          .map((row) => row["session"]),
      );
      if (page["next"] === undefined) break;
      after = `&after=${page["next"] as string}`;
      await leaving.pop()?.close();
    }
    if (sort === "" || sort === "&sort=age")
      for (const { id } of staying) assert.equal(seen.filter((one) => one === id).length, 1, sort);
  }
});

test("the map counts the sessions that the list of a cell has, of all servers or of one", async (t) => {
  await using inspector = await inspect();
  const { url } = inspector;
  const handlers = {
    add: (value: number) => value,
    note: () => undefined,
    wait: () => undefined,
    feed: () => undefined,
  };
  const servers = [];
  for (const count of [3, 2]) {
    const server = await serveSessions(work, "tcp://127.0.0.1:0", { handlers } as never);
    t.after(() => server.close({ timeoutMs: 0 }));
    servers.push(server);
    for (let opened = 0; opened < count; opened += 1) {
      const session = await connectSession(work, server.localAddress);
      t.after(() => session.abort());
    }
  }
  const [, second] = await listOf(url, "/servers", "servers");
  const ofSecond = `/servers/${String(second?.["id"])}`;
  for (const [place, list, wanted] of [
    ["/sessions/heat", "/sessions", 10],
    [`${ofSecond}/heat`, `${ofSecond}/sessions`, 2],
  ] as const) {
    // A round trip may be measured anew between two questions: then they are asked again.
    for (;;) {
      const before = await rowsOf(url, place);
      const found = new Map<string, number>();
      for (const cell of cellsOf(before)) {
        found.set(cell, (await listOf(url, `${list}?cell=${cell}&sort=rtt`, "sessions")).length);
      }
      const map = await rowsOf(url, place);
      if (String(map["cells"]) !== String(before["cells"])) continue;
      assert.equal(map["sessions"], wanted);
      assert.equal(
        [...found.values()].reduce((sum, count) => sum + count, 0),
        wanted,
      );
      for (const [cell, count] of found) assert.equal(count, countIn(map, cell), cell);
      break;
    }
  }
});

/** The cells that have sessions. */
function cellsOf(map: Record<string, unknown>): readonly string[] {
  const rows = map["cells"] as number[][];
  return rows.flatMap((counts, row) => counts.flatMap((count, column) => (count > 0 ? [`${column},${row}`] : [])));
}

function countIn(map: Record<string, unknown>, cell: string): number | undefined {
  const [column, row] = cell.split(",").map(Number) as [number, number];
  return (map["cells"] as number[][])[row]?.[column];
}

test("while nobody asks, a message costs nothing: the inspector hears of what opens and closes alone", async (t) => {
  await using inspector = await inspect();
  const server = await serveSessions(work, "tcp://127.0.0.1:0", {
    handlers: { add: (value: number) => value, note: () => undefined, wait: () => undefined, feed: () => undefined },
  } as never);
  t.after(() => server.close({ timeoutMs: 0 }));
  let heard = 0;
  const stop = watchList(() => (heard += 1));
  t.after(stop);
  const session = await connectSession(work, server.localAddress);
  t.after(() => session.abort());
  // Two ends of a connection, and two of a session.
  assert.equal(heard, 4);
  for (let value = 0; value < 100; value += 1) assert.equal(await session.remote.add(value), value);
  await session.remote.note("hola");
  assert.equal(heard, 4);
  assert.equal((await listOf(inspector.url, "/sessions", "sessions")).length, 2);
});

test("the list keeps nothing alive", async () => {
  await using inspector = await inspect();
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const refs = ((): readonly WeakRef<object>[] => pair().map((socket) => new WeakRef(socket)))();
  assert.equal((await listOf(inspector.url, "/connections", "connections")).length, 2);
  // A reference that was looked at lives until the end of its turn.
  for (let round = 0; round < 20 && refs.some((ref) => ref.deref() !== undefined); round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  assert.deepEqual(await listOf(inspector.url, "/connections", "connections"), []);
});

test("a watched session tells what begins and ends, and what was seen before", async (t) => {
  await using inspector = await inspect();
  const held: (() => void)[] = [];
  const server = await serveSessions(work, "tcp://127.0.0.1:0", {
    handlers: {
      add: (value: number) => value,
      note: () => undefined,
      wait: () => new Promise<void>((done) => held.push(done)),
      feed: () => undefined,
    },
  } as never);
  t.after(() => server.close({ timeoutMs: 0 }));
  const session = await connectSession(work, server.localAddress);
  t.after(() => session.abort());
  const own = (await listOf(inspector.url, "/sessions", "sessions")).find(({ side }) => side === "client");
  const url = inspector.url.replace("/?", `/sessions/${String(own?.["id"])}/events?`);
  const request = get(url, { agent: false });
  const [response] = (await once(request, "response")) as [AsyncIterable<Buffer> & { destroy(): void }];
  let text = "";
  let asked: Promise<void> | undefined;
  for await (const part of response) {
    text += part.toString();
    asked ??= session.remote.wait();
    if (text.includes('"type":"began","what":"call"')) held[0]?.();
    if (text.includes('"type":"ended","what":"call"')) break;
  }
  response.destroy();
  assert.match(text, /^: watching\n\nid: 1\ndata: \{"atMs":\d+,/);
  assert.match(text, /"method":"wait"/);
  await asked;
});

test("in a simulated world it is refused, and a world beside it is not listed", async () => {
  await using inspector = await inspect();
  await check({ seed: 1 }, async (world) => {
    world.host("server", async (network) => {
      await serve("tcp://0.0.0.0:7000", async (peer) => await peer.write("hola"), { network });
    });
    const { network } = world.host("client");
    const connection = await connect("tcp://server:7000", { network });
    assert.equal(String(await connection.readUntil("a")), "hola");
  });
  assert.deepEqual(await listOf(inspector.url, "/servers", "servers"), []);
  assert.deepEqual(await listOf(inspector.url, "/connections", "connections"), []);
  // Also for a program that catches the error.
  await assert.rejects(
    simulate({ seed: 1 }, async () => {
      await inspect().catch(() => undefined);
    }),
    { code: "SIM_LEAK" },
  );
});
