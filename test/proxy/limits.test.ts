/** What clients can make a proxy hold. In virtual time. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bind, connect, type DatagramSocket, listen, serveDatagrams } from "../../src/index.ts";
import { type FaultProxy, type ProxyDefinition, type ProxyFault, startProxy } from "../../src/proxy.ts";
import { check, type World } from "../../src/sim.ts";

const MOST_BYTES = 16 * 1_048_576;
const FLOWS = 1000;
const ANY_WAY = { from: "*", to: "*" } as const;

async function proxyOn(world: World, definition: ProxyDefinition): Promise<FaultProxy> {
  const running = await startProxy({ network: world.host("p").network, expose: true, proxies: [definition] });
  const proxy = running.proxies.get(definition.name);
  assert.ok(proxy !== undefined);
  return proxy;
}

test("of a writer at full speed whose reader never reads it holds 16 MiB at most, whatever the fault is", async () => {
  const faults: readonly ProxyFault[] = [
    { kind: "latency", ...ANY_WAY, latency: 10_000 },
    { kind: "bandwidth", ...ANY_WAY, bitsPerSecond: 8_000 },
    { kind: "slicing", ...ANY_WAY, averageBytes: 100, delayMs: 1 },
    { kind: "partition", from: "client", to: "server" },
  ];
  for (const fault of faults) {
    await check({ seed: 1, link: { latency: 0 } }, async (world) => {
      const [c, s] = [world.host("c"), world.host("s")];
      const door = await listen("tcp://0.0.0.0:7000", { network: s.network });
      const definition = { name: "p", listen: "tcp://0.0.0.0:9000", upstream: "tcp://s:7000", faults: [fault] };
      const proxy = await proxyOn(world, definition);
      const [call] = await Promise.all([connect("tcp://p:9000", { network: c.network }), door.accept()]);
      const block = Buffer.alloc(65_536);
      let written = 0;
      void (async () => {
        for (; written < 4 * MOST_BYTES; written += block.length) await call.write(block);
      })().catch(() => undefined);
      let most = 0;
      for (let second = 0; second < 30; second += 1) {
        await world.sleep(1_000);
        const { fromClient, toServer } = proxy.bytes;
        most = Math.max(most, fromClient - toServer);
      }
      assert.ok(most > 0 && most <= MOST_BYTES, `${fault.kind}: ${most}`);
      // It stands still: nobody gets rid of what nobody reads.
      assert.ok(written < 4 * MOST_BYTES, fault.kind);
      call.abort();
    });
  }
});

test("1,000 flows of datagrams at a time: the longest unused one leaves for one more, and idle ones end after a minute", async () => {
  await check({ seed: 1, link: { latency: 0 } }, async (world) => {
    const [c, s] = [world.host("c"), world.host("s")];
    await serveDatagrams("udp://0.0.0.0:7000", ({ data }) => data, { network: s.network });
    const proxy = await proxyOn(world, { name: "p", listen: "udp://0.0.0.0:9000", upstream: "udp://s:7000" });
    const client = async (): Promise<DatagramSocket> =>
      await bind("udp://0.0.0.0:0", { network: c.network, remote: "udp://p:9000" });
    const ask = async (box: DatagramSocket): Promise<void> => {
      await box.send("x");
      await box.receive();
    };
    const numbers = (): readonly number[] => proxy.connections.map(({ number }) => number);
    const boxes = await Promise.all(Array.from({ length: FLOWS }, client));
    await Promise.all(boxes.map(ask));
    assert.equal(new Set(numbers()).size, FLOWS);
    const oldest = numbers()[0];
    await ask(await client());
    assert.equal(numbers().length, FLOWS);
    assert.ok(!numbers().includes(oldest as number));
    await world.sleep(40_000);
    // Ten of them go on.
    const busy = boxes.slice(-10);
    await Promise.all(busy.map(ask));
    await world.sleep(19_000);
    assert.equal(numbers().length, FLOWS);
    await world.sleep(2_000);
    assert.equal(numbers().length, 10);
    await world.sleep(40_000);
    assert.deepEqual(numbers(), []);
    // Who comes back is a new one.
    await ask(boxes[0] as DatagramSocket);
    assert.deepEqual(numbers(), [FLOWS + 2]);
  });
});
