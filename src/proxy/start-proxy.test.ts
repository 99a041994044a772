import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bind, connect, listen, serve, serveDatagrams, type StreamSocket } from "../index.ts";
import { expectError } from "../testing/expect-error.ts";
import { PatternCheck, sendPattern, textToEnd } from "../testing/stream/check.ts";
import type { ProxyFault } from "./fault.ts";
import type { FaultProxies, FaultProxy } from "./public.ts";
import { startProxy } from "./start-proxy.ts";

async function echo(peer: StreamSocket): Promise<void> {
  for await (const bytes of peer) await peer.write(bytes);
}

function named(running: FaultProxies, name: string): FaultProxy {
  const proxy = running.proxies.get(name);
  assert.ok(proxy !== undefined);
  return proxy;
}

test("without faults bytes pass both ways, an end as an end, a reset as a reset", async () => {
  await using target = await listen("tcp://127.0.0.1:0");
  await using running = await startProxy({ proxies: [{ name: "a", upstream: target.localAddress }] });
  const proxy = named(running, "a");
  const call = await connect(proxy.listen);
  const peer = await target.accept();
  await call.write("question");
  await call.end();
  assert.equal(await textToEnd(peer), "question");
  await peer.write("answer");
  assert.equal(String(await call.readExactly(6)), "answer");
  const [connection] = proxy.connections;
  assert.deepEqual([connection?.number, connection?.bytesToServer, connection?.bytesToClient], [1, 8, 6]);
  await peer.end();
  assert.equal(await call.read(), null);
  const [second, far] = await Promise.all([connect(proxy.listen), target.accept()]);
  await second.write("x");
  await far.readExactly(1);
  far.abort();
  await expectError(second.read(), { code: "CONNECTION_RESET" });
});

test("a slow reader slows its writer, and loses nothing", async () => {
  await using target = await listen("tcp://127.0.0.1:0");
  await using running = await startProxy({ proxies: [{ name: "a", upstream: target.localAddress }] });
  const [call, peer] = await Promise.all([connect(named(running, "a").listen), target.accept()]);
  const sent = sendPattern(call, 20_000_000, 100_000).then(() => call.end());
  const received = new PatternCheck();
  for await (const piece of peer) received.next(piece);
  await sent;
  assert.equal(received.bytes, 20_000_000);
  await Promise.all([peer.close(), call.close()]);
});

test("Unix sockets and TCP may be joined", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zocalo-proxy-"));
  try {
    await using target = await serve(`unix:${join(folder, "target")}`, echo);
    await using running = await startProxy({
      proxies: [
        { name: "tcp", upstream: target.localAddress },
        { name: "unix", upstream: target.localAddress, listen: `unix:${join(folder, "door")}` },
      ],
    });
    for (const proxy of running.proxies.values()) {
      await using call = await connect(proxy.listen);
      await call.write("hola");
      assert.equal(String(await call.readExactly(4)), "hola");
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("each client of a datagram proxy gets its own answers", async () => {
  await using target = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => String(data).toUpperCase());
  await using running = await startProxy({ proxies: [{ name: "u", upstream: target.localAddress }] });
  const { listen: door } = named(running, "u");
  await using first = await bind("udp://127.0.0.1:0", { remote: door });
  await using second = await bind("udp://127.0.0.1:0", { remote: door });
  await first.send("one");
  await second.send("two");
  assert.equal(String((await second.receive()).data), "TWO");
  assert.equal(String((await first.receive()).data), "ONE");
  assert.deepEqual(
    named(running, "u").connections.map(({ bytesToServer, bytesToClient }) => [bytesToServer, bytesToClient]),
    [
      [3, 3],
      [3, 3],
    ],
  );
});

test("a proxy is changed, disabled, added and removed while it runs", async () => {
  await using one = await serve("tcp://127.0.0.1:0", async (peer) => await peer.write("one"));
  await using two = await serve("tcp://127.0.0.1:0", async (peer) => await peer.write("two"));
  await using running = await startProxy({ proxies: [{ name: "a", upstream: one.localAddress }] });
  const proxy = named(running, "a");
  const door = proxy.listen;
  const answer = async (at = door): Promise<string> => {
    await using call = await connect(at);
    return await textToEnd(call);
  };
  assert.equal(await answer(), "one");
  await proxy.change({ upstream: two.localAddress });
  assert.deepEqual([await answer(), proxy.listen.port], ["two", door.port]);
  await proxy.change({ enabled: false });
  await expectError(connect(door), { code: "CONNECTION_REFUSED" });
  await proxy.change({ enabled: true });
  assert.equal(await answer(), "two");
  await expectError(running.add({ name: "a", upstream: one.localAddress }), { code: "OPTION_INVALID" });
  await expectError(running.remove("b"), { code: "OPTION_INVALID" });
  const added = await running.add({ name: "b", upstream: one.localAddress });
  assert.equal(await answer(added.listen), "one");
  await running.remove("b");
  await expectError(connect(added.listen), { code: "CONNECTION_REFUSED" });
  await running.close({ timeoutMs: 0 });
  await expectError(running.add({ name: "c", upstream: one.localAddress }), { code: "CLOSED" });
});

test("nothing is open when one of the proxies is wrong", async () => {
  await using target = await serve("tcp://127.0.0.1:0", echo);
  const free = await listen("tcp://127.0.0.1:0");
  const door = free.localAddress;
  await free.close();
  const good = { name: "good", listen: door, upstream: target.localAddress };
  const upstream = target.localAddress;
  const slow = { kind: "latency", from: "client", to: "server", latency: 10 } as const;
  const wrong = [
    { name: "good", upstream },
    { name: "", upstream },
    { name: "x" },
    { name: "x", upstream: "tcp://192.0.2.1:80" },
    { name: "x", upstream: "tls://127.0.0.1:80" },
    { name: "x", upstream, listen: "tcp://0.0.0.0:0" },
    { name: "x", upstream, listen: "udp://127.0.0.1:0" },
    { name: "x", upstream, listen: "tcp://127.0.0.1:99999" },
    { name: "x", upstream, unknown: 1 },
    { name: "x", upstream, enabled: "yes" },
    { name: "x", upstream: door, listen: door },
    { name: "x", upstream: "udp://127.0.0.1:9", listen: "udp://127.0.0.1:9" },
    // The door of the server is taken.
    { name: "x", upstream: "tcp://127.0.0.1:9", listen: upstream },
    { name: "x", upstream, faults: [{ ...slow, latency: -1 }] },
    { name: "x", upstream, faults: [{ ...slow, unknown: 1 }] },
    { name: "x", upstream, faults: [{ ...slow, from: "nobody" }] },
    { name: "x", upstream, faults: [{ ...slow, to: "client" }] },
    { name: "x", upstream, faults: [{ ...slow, when: { connections: "one" } }] },
    { name: "x", upstream, faults: [{ ...slow, when: { match: "" } }] },
    { name: "x", upstream, faults: [{ ...slow, when: { match: "0xzz" } }] },
    { name: "x", upstream, faults: [{ ...slow, when: { match: "0Xabc" } }] },
    { name: "x", upstream, faults: [{ kind: "meteor" }] },
    { name: "x", upstream, faults: [{ kind: "crash", host: "server" }] },
    { name: "x", upstream, faults: [{ ...slow, middlebox: true }] },
    { name: "x", upstream, faults: [{ kind: "slicing", from: "*", to: "*", averageBytes: 0 }] },
    { name: "x", upstream: "udp://127.0.0.1:9", faults: [{ kind: "cut", from: "*", to: "*", bytes: 1 }] },
    { name: "x", upstream: "udp://127.0.0.1:9", faults: [{ ...slow, when: { bytes: 1 } }] },
    { name: "x", upstream: "udp://127.0.0.1:9", faults: [{ kind: "reset", from: "*", to: "*" }] },
  ];
  for (const one of wrong) {
    const starting = startProxy({ proxies: [good, one as typeof good] });
    const code = await starting.then(
      (running) => running.abort(),
      (error: unknown) => (error as { readonly code: string }).code,
    );
    assert.match(String(code), /^(OPTION_INVALID|ADDRESS_INVALID|ADDRESS_IN_USE)$/, JSON.stringify(one));
    await expectError(connect(door), { code: "CONNECTION_REFUSED" });
  }
});

test("whoever gives a kind that is none is told of the kinds of a proxy", async () => {
  const faults = [{ kind: "lag", from: "*", to: "*" }] as unknown as readonly ProxyFault[];
  const starting = startProxy({ proxies: [{ name: "x", upstream: "127.0.0.1:9", faults }] });
  const error = (await starting.catch((reason: unknown) => reason)) as Error;
  assert.match(error.message, /faults\[0\]\.kind must be one of "latency", .*"slicing", "cut", .*not "lag"$/);
  assert.doesNotMatch(error.message, /crash|skew/);
});

test("close behind abort resolves, and abort behind close cuts what it waits for", async () => {
  await using target = await listen("tcp://127.0.0.1:0");
  const start = async (): Promise<FaultProxies> =>
    await startProxy({ proxies: [{ name: "a", upstream: target.localAddress }] });
  const first = await start();
  const [call, far] = await Promise.all([connect(named(first, "a").listen), target.accept()]);
  first.abort(new Error("enough"));
  const { finished, cut } = await first.close();
  assert.deepEqual([finished, cut], [0, 1]);
  assert.equal((await first.closed).how, "aborted");
  await expectError(call.read(), { code: "CONNECTION_RESET" });
  far.abort();
  const second = await start();
  const [waits, peer] = await Promise.all([connect(named(second, "a").listen), target.accept()]);
  const { listen: door } = named(second, "a");
  const closing = second.close({ timeoutMs: Number.POSITIVE_INFINITY });
  // It waits for the connection now.
  await expectError(connect(door), { code: "CONNECTION_REFUSED" });
  second.abort();
  await closing;
  await second.closed;
  await expectError(waits.read(), { code: "CONNECTION_RESET" });
  peer.abort();
});

test("a fault is copied, and none begins behind close", async () => {
  await using target = await listen("tcp://127.0.0.1:0");
  const upstream = target.localAddress;
  const fault = {
    kind: "latency",
    from: "client",
    to: "server",
    latency: { kind: "uniform", fromMs: 1, toMs: 2 },
    when: { connections: "1" },
  } satisfies ProxyFault;
  const copy = structuredClone(fault);
  const own = structuredClone(fault);
  const running = await startProxy({ proxies: [{ name: "a", upstream, faults: [own] }] });
  const [proxy, other] = [named(running, "a"), await running.add({ name: "b", upstream })];
  proxy.inflict(fault);
  for (const one of [fault, own]) {
    one.when.connections = "7-";
    one.latency.toMs = -1;
  }
  assert.deepEqual(proxy.faults, [copy, copy]);
  await running.remove("b");
  assert.throws(() => other.inflict(copy), { code: "CLOSED" });
  await running.close();
  assert.throws(() => proxy.inflict(copy), { code: "CLOSED" });
  assert.throws(() => running.inflict(copy), { code: "CLOSED" });
  assert.throws(() => proxy.inflict({ ...copy, kind: "meteor" } as never), { code: "OPTION_INVALID" });
});

test("faults at once have a limit, for each proxy, and nothing begins beyond it", async () => {
  await using target = await listen("tcp://127.0.0.1:0");
  const upstream = target.localAddress;
  const fault = { kind: "latency", from: "client", to: "server", latency: 5 } as const;
  const full = { code: "OPTION_INVALID", message: /has room for 0 more faults, not for 1: limits\.maxFaults is 2/ };
  await using running = await startProxy({ limits: { maxFaults: 2 }, proxies: [{ name: "a", upstream }] });
  const a = named(running, "a");
  const guard = a.inflict(fault);
  const b = await running.add({ name: "b", upstream });
  const both = running.inflict(fault);
  assert.throws(() => a.inflict(fault), full);
  assert.throws(() => running.inflict(fault), full);
  assert.deepEqual([a.faults.length, b.faults.length], [2, 1]);
  guard.heal();
  a.inflict(fault);
  both.heal();
  assert.deepEqual([a.faults.length, b.faults.length], [1, 0]);
  for (const maxFaults of [0, -1, 1.5, "many"]) {
    await expectError(startProxy({ limits: { maxFaults: maxFaults as number } }), { code: "OPTION_INVALID" });
  }
  await using crowd = await startProxy({ proxies: [{ name: "a", upstream }] });
  for (let count = 0; count < 1_000; count += 1) crowd.inflict(fault);
  assert.throws(() => crowd.inflict(fault), { code: "OPTION_INVALID" });
});

test("a proxy that takes the name of one that was removed counts its own bytes; the report has both", async () => {
  await using target = await serve("tcp://127.0.0.1:0", echo);
  await using running = await startProxy({});
  const carry = async (bytes: number): Promise<FaultProxy> => {
    const proxy = await running.add({ name: "a", upstream: target.localAddress });
    await using call = await connect(proxy.listen);
    await call.write("x".repeat(bytes));
    await call.readExactly(bytes);
    return proxy;
  };
  const first = await carry(100);
  await running.remove("a");
  const second = await carry(7);
  assert.deepEqual([first.bytes.fromClient, second.bytes.fromClient], [100, 7]);
  assert.deepEqual([first.bytes.toClient, second.bytes.toClient], [100, 7]);
  const { connections, details } = running.report();
  assert.equal(connections, 2);
  assert.deepEqual(
    details.map(({ proxy, number, bytesFromClient }) => [proxy, number, bytesFromClient]),
    [
      ["a", 1, 100],
      ["a", 1, 7],
    ],
  );
});
