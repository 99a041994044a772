import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, PORT } from "../../test/sim/scene.ts";
import { connect, listen, type StreamSocket } from "../index.ts";
import { check, type World } from "../sim.ts";
import { PatternCheck, sendPattern, textToEnd } from "../testing/stream/check.ts";
import type { Clock } from "../io/network/network.ts";
import { nodeNetwork } from "../node/network.ts";
import type { ProxyFault } from "./fault.ts";
import type { FaultProxies, FaultProxy } from "./public.ts";
import { startProxy } from "./start-proxy.ts";

const HOURS_MS = 36_000_000;
const TO_SERVER = { from: "client", to: "server" } as const;

interface Scene {
  readonly world: World;
  readonly running: FaultProxies;
  readonly proxy: FaultProxy;
  /** A connection through the proxy: the client's end, and the server's. */
  readonly join: () => Promise<readonly [client: StreamSocket, server: StreamSocket]>;
}

/** A client, a proxy and a server on three hosts without any delay between them; run twice. */
async function scene(faults: readonly ProxyFault[], main: (scene: Scene) => Promise<void>): Promise<void> {
  await check({ seed: 1, link: { latency: 0 } }, async (world) => {
    const [c, p, s] = [world.host("c"), world.host("p"), world.host("s")];
    const door = await listen(`tcp://0.0.0.0:${PORT}`, { network: s.network });
    const definition = { name: "a", listen: "tcp://0.0.0.0:9000", upstream: `tcp://s:${PORT}`, faults };
    const running = await startProxy({ seed: 7, network: p.network, expose: true, proxies: [definition] });
    const proxy = running.proxies.get("a");
    assert.ok(proxy !== undefined);
    const join = async (): Promise<readonly [StreamSocket, StreamSocket]> =>
      await Promise.all([connect("tcp://p:9000", { network: c.network }), door.accept()]);
    await main({ world, running, proxy, join });
    running.abort();
    await door.close();
  });
}

/** Milliseconds until a call settles, rounded. */
async function took(world: World, call: Promise<unknown>): Promise<number> {
  const began = world.now;
  await call;
  return Math.round(world.now - began);
}

test("latency: bytes and the end come so much later, each direction by itself", async () => {
  await scene([{ kind: "latency", ...TO_SERVER, latency: 100 }], async ({ world, join }) => {
    const [client, server] = await join();
    await client.write("hola");
    assert.equal(await took(world, server.readExactly(4)), 100);
    await server.write("hola");
    assert.equal(await took(world, client.readExactly(4)), 0);
    const ended = world.now;
    await client.end();
    assert.equal(await server.read(), null);
    assert.equal(Math.round(world.now - ended), 100);
    await server.end();
    assert.equal(await client.read(), null);
  });
});

test("faults that begin and end while bytes pass lose none and keep their order", async () => {
  await scene([], async ({ world, proxy, join }) => {
    const [client, server] = await join();
    const sent = sendPattern(client, 600_000, 10_000).then(() => client.end());
    const received = new PatternCheck();
    const all = (async () => {
      for await (const piece of server) received.next(piece);
    })();
    const storm: readonly ProxyFault[] = [
      { kind: "latency", from: "*", to: "*", latency: { kind: "uniform", fromMs: 1, toMs: 30 } },
      { kind: "slicing", ...TO_SERVER, averageBytes: 900, variationBytes: 800, delayMs: 1 },
      { kind: "loss", ...TO_SERVER, chance: 0.05 },
      { kind: "partition", from: "client", to: "server" },
      { kind: "bandwidth", ...TO_SERVER, bitsPerSecond: 4_000_000 },
    ];
    for (const fault of storm) {
      const guard = proxy.inflict(fault);
      await world.sleep(40);
      guard.heal();
      await world.sleep(5);
    }
    await Promise.all([sent, all]);
    assert.equal(received.bytes, 600_000);
    assert.deepEqual(proxy.faults, []);
    await server.close();
  });
});

test("a partition is silence, and what waited arrives at its end", async () => {
  await scene([], async ({ world, proxy, join }) => {
    const [client, server] = await join();
    const cut = proxy.inflict({ kind: "partition-one-way", ...TO_SERVER });
    await client.write("late");
    await server.write("now");
    assert.equal(String(await client.readExactly(3)), "now");
    assert.equal(await codeOf(server.peek(1, { timeoutMs: 5_000 })), "TIMEOUT");
    cut.heal();
    assert.equal(await took(world, server.readExactly(4)), 0);
  });
});

test("a cut closes both sides in order behind its bytes; a reset resets both; a time-out swallows, then closes", async () => {
  await scene([{ kind: "cut", ...TO_SERVER, bytes: 5, when: { connections: "1" } }], async ({ world, proxy, join }) => {
    const [client, server] = await join();
    await client.write("too long");
    assert.equal(await textToEnd(server), "too l");
    assert.equal(await client.read(), null);
    await server.end();
    const [second, far] = await join();
    await second.write("ok");
    assert.equal(String(await far.readExactly(2)), "ok");
    const reset = proxy.inflict({ kind: "reset", from: "*", to: "*" });
    await second.write("x");
    assert.deepEqual([await codeOf(second.read()), await codeOf(far.read())], ["CONNECTION_RESET", "CONNECTION_RESET"]);
    reset.heal();
    const [third, end] = await join();
    proxy.inflict({ kind: "timeout", from: "*", to: "*", afterMs: 300 });
    await third.write("lost");
    assert.equal(await took(world, end.read()), 300);
    assert.equal(await third.read(), null);
  });
});

test("triggers: the n-th connection, behind so many bytes, at an age, when bytes pass", async () => {
  await scene([], async ({ world, proxy, join }) => {
    const latency = { kind: "latency", ...TO_SERVER, latency: 50 } as const;
    const delays = async (text: string, pieces: readonly string[]): Promise<readonly number[]> => {
      const [client, server] = await join();
      const result: number[] = [];
      for (const piece of pieces) {
        await client.write(piece);
        result.push(await took(world, server.readExactly(piece.length)));
      }
      client.abort(text);
      return result;
    };
    const numbers = proxy.inflict({ ...latency, when: { connections: "2-3" } });
    const firsts: number[] = [];
    for (let count = 0; count < 4; count += 1) firsts.push(...(await delays("n", ["x"])));
    assert.deepEqual(firsts, [0, 50, 50, 0]);
    numbers.heal();
    const bytes = proxy.inflict({ ...latency, when: { bytes: 4 } });
    assert.deepEqual(await delays("bytes", ["abcd", "e"]), [0, 50]);
    bytes.heal();
    const found = proxy.inflict({ ...latency, when: { match: "0x4f4b" } });
    assert.deepEqual(await delays("match", ["xxO", "Kx", "y"]), [0, 50, 50]);
    found.heal();
    proxy.inflict({ kind: "reset", from: "*", to: "*", when: { afterMs: 2_000 } });
    const [client] = await join();
    // Counted from when the proxy had it.
    assert.ok(Math.abs((await took(world, codeOf(client.read()))) - 2_000) <= 2);
  });
});

test("chance is drawn once for each connection, from the seed; what it does not hit is not touched", async () => {
  await scene([{ kind: "reset", from: "*", to: "*", when: { chance: 0.3 } }], async ({ join }) => {
    const hit: number[] = [];
    for (let number = 1; number <= 40; number += 1) {
      const [client, server] = await join();
      await client.write("x");
      if ((await codeOf(server.readExactly(1))) !== "none") hit.push(number);
      client.abort();
    }
    assert.ok(hit.length > 4 && hit.length < 22, String(hit));
  });
  await scene([{ kind: "reset", from: "*", to: "*", when: { chance: 0 } }], async ({ join, running }) => {
    for (let number = 1; number <= 200; number += 1) {
      const [client, server] = await join();
      await client.write("x");
      await server.readExactly(1);
      client.abort();
    }
    assert.deepEqual(running.report().faults, {});
  });
});

test("a reader that never reads stops its writer, whatever the latency is", async () => {
  await scene([{ kind: "latency", from: "*", to: "*", latency: 10_000 }], async ({ world, join, proxy }) => {
    const [client, server] = await join();
    const piece = Buffer.alloc(65_536);
    let taken = 0;
    void (async () => {
      for (; taken < 100 * 1_048_576; taken += piece.length) await client.write(piece);
    })().catch(() => undefined);
    await world.sleep(120_000);
    // What is on its way, the buffers of three kernels, and what the proxy has read ahead.
    assert.ok(taken < 16_777_216, String(taken));
    assert.ok(taken > 1_048_576, String(taken));
    assert.equal(proxy.connections.length, 1);
    client.abort();
    server.abort();
  });
});

test("a reset by a fault arrives behind the bytes before it, and waits for no reader", async () => {
  await scene([{ kind: "latency", ...TO_SERVER, latency: 100 }], async ({ world, proxy, join }) => {
    const [client, server] = await join();
    const reset = proxy.inflict({ kind: "reset", ...TO_SERVER, when: { bytes: 4 } });
    const began = world.now;
    await client.write("hola, swallowed");
    await world.sleep(10);
    // It comes, though the fault has ended.
    reset.heal();
    assert.equal(String(await server.readExactly(4)), "hola");
    assert.equal(await codeOf(server.read()), "CONNECTION_RESET");
    assert.equal(Math.round(world.now - began), 100);
    assert.equal(await codeOf(client.read()), "CONNECTION_RESET");
    assert.deepEqual(
      proxy.faults.map(({ kind }) => kind),
      ["latency"],
    );
    // Slices that are due with it go before it.
    const slices = proxy.inflict({ kind: "slicing", ...TO_SERVER, averageBytes: 1 });
    const [third, far] = await join();
    const early = proxy.inflict({ kind: "reset", ...TO_SERVER, when: { bytes: 7 } });
    await third.write("slices!lost");
    assert.equal(String(await far.readExactly(7)), "slices!");
    assert.equal(await codeOf(far.read()), "CONNECTION_RESET");
    early.heal();
    slices.heal();
    // This one never reads.
    const [second, silent] = await join();
    void sendPattern(second, 20_000_000, 100_000).catch(() => undefined);
    await world.sleep(5_000);
    proxy.inflict({ kind: "reset", from: "*", to: "*", when: { afterMs: 6_000 } });
    assert.equal(await codeOf(second.read({ timeoutMs: 60_000 })), "CONNECTION_RESET");
    silent.abort();
  });
});

test("a reset waits while nothing passes", async () => {
  await scene([], async ({ world, proxy, join }) => {
    const [client, server] = await join();
    const cut = proxy.inflict({ kind: "partition", from: "client", to: "server" });
    proxy.inflict({ kind: "reset", from: "*", to: "*" });
    await client.write("x");
    assert.equal(await codeOf(server.read({ timeoutMs: 1_000 })), "TIMEOUT");
    cut.heal();
    assert.equal(await took(world, codeOf(client.read())), 0);
    assert.equal(await codeOf(server.read()), "CONNECTION_RESET");
  });
});

test("what is under way arrives at once when the last fault ends, and delays nothing that comes later", async () => {
  const slow: readonly ProxyFault[] = [
    { kind: "latency", ...TO_SERVER, latency: 10_000 },
    { kind: "bandwidth", ...TO_SERVER, bitsPerSecond: 80 },
    { kind: "slicing", ...TO_SERVER, averageBytes: 1, delayMs: 1_000 },
  ];
  for (const fault of slow) {
    await scene([], async ({ world, proxy, join }) => {
      const [client, server] = await join();
      const guard = proxy.inflict(fault);
      await client.write("a".repeat(100));
      await world.sleep(10);
      guard.heal();
      assert.equal(await took(world, server.readExactly(100)), 0);
      proxy.inflict({ kind: "latency", ...TO_SERVER, latency: 20 });
      await client.write("b");
      assert.equal(await took(world, server.readExactly(1)), 20);
      const linger = proxy.inflict({ kind: "linger", ...TO_SERVER, delayMs: 10_000 });
      await client.end();
      assert.equal(await codeOf(server.read({ timeoutMs: 500 })), "TIMEOUT");
      linger.heal();
      assert.equal(await codeOf(server.read({ timeoutMs: 500 })), "TIMEOUT");
    });
  }
});

test("a fault that waits for an age leaves nothing behind when it ends", async (t) => {
  let waiting = 0;
  const clock: Clock = {
    now: () => nodeNetwork.clock.now(),
    defer: (run) => nodeNetwork.clock.defer(run),
    setTimer(due, inMs, unref) {
      if (inMs < HOURS_MS / 2) return nodeNetwork.clock.setTimer(due, inMs, unref);
      waiting += 1;
      return { cancel: () => void (waiting -= 1) };
    },
  };
  const network: typeof nodeNetwork = Object.create(nodeNetwork, { clock: { value: clock } });
  await using door = await listen("tcp://127.0.0.1:0");
  const running = await startProxy({ network, proxies: [{ name: "a", upstream: door.localAddress }] });
  t.after(() => running.abort());
  const proxy = running.proxies.get("a");
  assert.ok(proxy !== undefined);
  const [client, server] = await Promise.all([connect(proxy.listen), door.accept()]);
  await client.write("hola");
  await server.readExactly(4);
  const acts: readonly ProxyFault[] = [
    { kind: "reset", ...TO_SERVER, when: { afterMs: HOURS_MS } },
    { kind: "timeout", ...TO_SERVER, when: { afterMs: HOURS_MS } },
  ];
  for (const fault of acts) {
    const guard = proxy.inflict(fault);
    await Promise.resolve();
    assert.ok(waiting > 0, fault.kind);
    guard.heal();
    await Promise.resolve();
    assert.equal(waiting, 0, fault.kind);
  }
  await server.write("hola");
  assert.equal(String(await client.readExactly(4)), "hola");
  for (const fault of acts) proxy.inflict(fault);
  await Promise.resolve();
  assert.ok(waiting > 0);
  await Promise.all([client.close(), server.close()]);
  running.abort();
  await running.closed;
  assert.equal(waiting, 0);
});
