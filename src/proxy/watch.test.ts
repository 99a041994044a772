import assert from "node:assert/strict";
import { test } from "node:test";
import { PORT } from "../../test/sim/scene.ts";
import { flipBit } from "../core/faults/link.ts";
import { bind, connect, listen, type StreamSocket } from "../index.ts";
import { check, type Host, type World } from "../sim.ts";
import { expectError } from "../testing/expect-error.ts";
import type { ProxyFault } from "./fault.ts";
import type { FaultProxies } from "./public.ts";
import { startProxy } from "./start-proxy.ts";
import type { ProxyEvent } from "./watch.ts";

interface Scene {
  readonly world: World;
  readonly client: Host;
  readonly server: Host;
  readonly running: FaultProxies;
  readonly join: () => Promise<readonly [client: StreamSocket, server: StreamSocket]>;
}

/** A proxy of connections and one of datagrams between hosts without any delay; run twice. */
async function scene(main: (scene: Scene) => Promise<void>): Promise<void> {
  await check({ seed: 1, link: { latency: 0 } }, async (world) => {
    const [c, p, s] = [world.host("c"), world.host("p"), world.host("s")];
    const door = await listen(`tcp://0.0.0.0:${PORT}`, { network: s.network });
    const running = await startProxy({
      network: p.network,
      expose: true,
      proxies: [
        { name: "a", listen: "tcp://0.0.0.0:9000", upstream: `tcp://s:${PORT}` },
        { name: "u", listen: "udp://0.0.0.0:9000", upstream: "udp://s:7000" },
      ],
    });
    const join = async (): Promise<readonly [StreamSocket, StreamSocket]> =>
      await Promise.all([connect("tcp://p:9000", { network: c.network }), door.accept()]);
    await main({ world, client: c, server: s, running, join });
    running.abort();
    await Promise.all([running.closed, door.close()]);
  });
}

/** An event in a line: what is the same in each run. */
function line(event: ProxyEvent): string {
  switch (event.type) {
    case "chunk": {
      const pieces = event.pieces.map(({ start, end, leavesAtMs }) => `${start}-${end}+${leavesAtMs - event.atMs}`);
      const fate = event.lostTo === undefined ? event.outcome : `lost: ${event.lostTo}`;
      return `chunk ${event.direction} ${String(Buffer.from(event.bytes))} [${event.faults.join()}] ${pieces.join()} ${event.isHeld ? "held" : fate}`;
    }
    case "datagram": {
      const delays = event.leavesAtMs.map((atMs) => atMs - event.atMs);
      return `datagram ${event.direction} ${String(Buffer.from(event.bytes))} ${event.lostTo ?? "passes"} +${delays.join()}`;
    }
    case "end":
      if (event.leavesAtMs === undefined) return `end ${event.direction} lost`;
      return `end ${event.direction} ${event.isHeld ? "held" : `+${event.leavesAtMs - event.atMs}`}`;
    case "fault":
      return `fault ${event.proxy} ${event.fault.kind} ${event.change}`;
    case "reset":
      return `reset ${event.fault ?? "by a program"}`;
    default:
      return `${event.type} ${event.proxy} ${event.number}`;
  }
}

test("who watches hears of connections, chunks, ends and faults, until it stops", async () => {
  await scene(async ({ world, running, join }) => {
    const heard: string[] = [];
    const stop = running.watch((event) => heard.push(line(event)));
    const [client, server] = await join();
    await client.write("hola");
    await server.readExactly(4);
    const guard = running.proxies.get("a")?.inflict({ kind: "latency", from: "client", to: "server", latency: 30 });
    await client.write("adiós");
    await client.end();
    await server.readExactly(6);
    await server.end();
    assert.equal(await client.read(), null);
    await world.sleep(10);
    guard?.heal();
    stop();
    await join();
    assert.deepEqual(heard, [
      "open a 1",
      "chunk toServer hola [] 0-4+0 goes on",
      "fault a latency began",
      "chunk toServer adiós [latency] 0-6+30 goes on",
      "end toServer +30",
      "end toClient +0",
      "close a 1",
      "fault a latency ended",
    ]);
  });
});

test("silence holds back what comes, whatever makes it: it is told so", async () => {
  const silences = [
    { kind: "partition", from: "*", to: "*" },
    { kind: "loss", from: "client", to: "server", chance: 1 },
  ] as const;
  for (const fault of silences) {
    await scene(async ({ world, running, join }) => {
      const heard: string[] = [];
      const [client, server] = await join();
      running.watch((event) => heard.push(line(event)));
      const guard = running.proxies.get("a")?.inflict(fault);
      await client.write("hola");
      await client.end();
      await world.sleep(10);
      guard?.heal();
      await server.readExactly(4);
      const told = heard.filter((text) => text.startsWith("chunk") || text.startsWith("end"));
      assert.deepEqual(told, [`chunk toServer hola [${fault.kind}] 0-4+0 held`, "end toServer held"]);
    });
  }
});

test("a reset names its fault; one of a program has none", async () => {
  await scene(async ({ world, running, join }) => {
    const heard: string[] = [];
    running.watch((event) => heard.push(line(event)));
    const [client] = await join();
    const guard = running.inflict({ kind: "reset", from: "client", to: "server" });
    await client.write("hola");
    await expectError(client.read(), { code: "CONNECTION_RESET" });
    guard.heal();
    const [, server] = await join();
    server.abort();
    await world.sleep(10);
    const resets = heard.filter((text) => text.startsWith("reset"));
    assert.deepEqual(resets, ["reset reset", "reset by a program"]);
    assert.deepEqual(
      heard.filter((text) => text.startsWith("close")),
      ["close a 1", "close a 2"],
    );
  });
});

test("datagrams: what passes, what is lost, and what is doubled", async () => {
  await scene(async ({ world, running, client: c, server: s }) => {
    const server = await bind("udp://0.0.0.0:7000", { network: s.network });
    const client = await bind("udp://0.0.0.0:0", { network: c.network, remote: "udp://p:9000" });
    const heard: string[] = [];
    running.watch((event) => heard.push(line(event)));
    const proxy = running.proxies.get("u");
    await client.send("uno");
    await server.receive();
    const lost = proxy?.inflict({ kind: "loss", from: "client", to: "server", chance: 1 });
    await client.send("dos");
    await world.sleep(10);
    lost?.heal();
    proxy?.inflict({ kind: "duplication", from: "client", to: "server", chance: 1 });
    await client.send("tres");
    await server.receive();
    await server.receive();
    const told = heard.filter((text) => text.startsWith("datagram")).map((text) => text.replace(/\+.*,.*/, "+twice"));
    assert.deepEqual(told, [
      "datagram toServer uno passes +0",
      "datagram toServer dos loss +",
      "datagram toServer tres passes +twice",
    ]);
    await Promise.all([server.close(), client.close()]);
  });
});

test("what was drawn is told, and what is drawn is the same when nobody watches", async () => {
  const faults: readonly ProxyFault[] = [
    { kind: "latency", from: "*", to: "*", latency: { kind: "uniform", fromMs: 10, toMs: 90 } },
    { kind: "loss", from: "client", to: "server", chance: 0.3, when: { chance: 0.5 } },
    { kind: "slicing", from: "server", to: "client", averageBytes: 9, when: { connections: "2-", chance: 0.5 } },
  ];
  const reports: unknown[] = [];
  for (const isWatched of [false, true]) {
    await scene(async ({ running, join }) => {
      const events: ProxyEvent[] = [];
      if (isWatched) running.watch((event) => events.push(event));
      const proxy = running.proxies.get("a");
      for (const fault of faults) proxy?.inflict(fault);
      const [client, server] = await join();
      for (let turn = 0; turn < 20; turn += 1) {
        await client.write("hola");
        await server.readExactly(4);
      }
      reports.push(running.report());
      if (!isWatched) return;
      const chunks = events.filter((event) => event.type === "chunk");
      assert.ok(chunks.length >= 20);
      for (const { draws, pieces, faults: acting, atMs } of chunks) {
        // That of a fault which is about other connections is not drawn.
        assert.deepEqual(
          draws.map(({ of, fault, below }) => [of, fault, below]),
          [["chance", "loss", 0.5]],
        );
        assert.equal(acting.includes("loss"), (draws[0]?.drawn ?? 1) < 0.5);
        for (const piece of pieces) {
          const latency = piece.draws.find(({ of }) => of === "latency");
          assert.ok(latency !== undefined && latency.drawn >= 10 && latency.drawn <= 90);
          // What is in front of it may make it later.
          assert.ok(piece.leavesAtMs - atMs >= latency.drawn - 0.001);
        }
      }
    });
  }
  const [first] = reports;
  for (const report of reports) assert.deepEqual(report, first);
});

test("what silence held back is told when it is released, and what was late when no fault is left", async () => {
  await scene(async ({ world, running, join }) => {
    const heard: string[] = [];
    running.watch((event) => {
      heard.push(event.type === "release" ? `release ${event.direction} ${event.what} ${event.atMs}` : event.type);
    });
    const proxy = running.proxies.get("a");
    const [client, server] = await join();
    const late = proxy?.inflict({ kind: "latency", from: "client", to: "server", latency: 10 });
    const silence = proxy?.inflict({ kind: "partition", from: "client", to: "server" });
    await client.write("uno");
    await world.sleep(100);
    silence?.heal();
    const releasedAtMs = world.now;
    await server.readExactly(3);
    await client.write("dos");
    late?.heal();
    await server.readExactly(3);
    const released = heard.filter((text) => text.startsWith("release"));
    assert.equal(released[0], `release toServer held ${releasedAtMs}`);
    assert.equal(released.length, 1, "an empty direction releases nothing");
    proxy?.inflict({ kind: "latency", from: "client", to: "server", latency: 10_000 });
    await client.write("tres");
    await world.sleep(5);
    for (const fault of proxy?.faults ?? []) proxy?.heal(fault);
    await server.readExactly(4);
    assert.match(heard.findLast((text) => text.startsWith("release")) ?? "", /^release toServer all /);
  });
});

test("a flipped bit is told where it is in its chunk, whatever the chunk is cut into", async () => {
  await scene(async ({ running, join }) => {
    const [client, server] = await join();
    const told: Buffer[] = [];
    let flipped = 0;
    running.watch((event) => {
      if (event.type !== "chunk") return;
      const bytes = Buffer.from(event.bytes);
      for (const { flippedBit } of event.pieces) {
        if (flippedBit === undefined) continue;
        flipBit(bytes, flippedBit);
        flipped += 1;
      }
      told.push(bytes);
    });
    const proxy = running.proxies.get("a");
    proxy?.inflict({ kind: "slicing", from: "client", to: "server", averageBytes: 50 });
    proxy?.inflict({ kind: "corruption", from: "client", to: "server", chance: 1, middlebox: true });
    await client.write(Buffer.alloc(1000));
    const received = await server.readExactly(1000);
    assert.deepEqual(Buffer.concat(told), Buffer.from(received));
    assert.equal(flipped, 20);
  });
});

test("what a time-out swallows, and what comes to a reset, is told as lost, before the end", async () => {
  const ways = { from: "client", to: "server" } as const;
  await scene(async ({ world, running, join }) => {
    const heard: string[] = [];
    const proxy = running.proxies.get("a");
    const [client, server] = await join();
    running.watch((event) => heard.push(line(event)));
    await client.write("hola");
    await server.readExactly(4);
    const guard = proxy?.inflict({ kind: "timeout", ...ways });
    await client.write("lost");
    await world.sleep(10);
    await client.end();
    await world.sleep(10);
    guard?.heal();
    assert.equal(await server.read(), null);
    await server.end();
    const [second] = await join();
    proxy?.inflict({ kind: "latency", ...ways, latency: 20 });
    proxy?.inflict({ kind: "reset", ...ways });
    await second.write("x");
    await world.sleep(10);
    await second.write("y");
    await expectError(second.read(), { code: "CONNECTION_RESET" });
    await world.sleep(10);
    assert.deepEqual(
      heard.filter((text) => !text.startsWith("fault") && !text.startsWith("open")),
      [
        "chunk toServer hola [] 0-4+0 goes on",
        "chunk toServer lost [timeout]  lost: timeout",
        "end toServer lost",
        "end toClient +0",
        "close a 1",
        "chunk toServer x [reset]  lost: reset",
        "chunk toServer y [reset]  lost: reset",
        "reset reset",
        "close a 2",
      ],
    );
  });
});
