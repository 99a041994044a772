import assert from "node:assert/strict";
import { test } from "node:test";
import { bind } from "../index.ts";
import type { Network } from "../io/network/network.ts";
import { check } from "../sim.ts";
import type { ProxyFault } from "./fault.ts";
import { startProxy } from "./start-proxy.ts";

const COUNT = 1000;

/** Which of many numbered datagrams arrive behind a fault, in their order. */
async function fateOf(seed: number, fault: ProxyFault): Promise<readonly number[]> {
  const arrived: number[] = [];
  await check({ seed: 1, link: { latency: 0 } }, async (world) => {
    arrived.length = 0;
    const [c, p, s] = [world.host("c"), world.host("p"), world.host("s")];
    const server = await bind("udp://0.0.0.0:7000", { network: s.network });
    const definition = { name: "u", listen: "udp://0.0.0.0:9000", upstream: "udp://s:7000", faults: [fault] };
    const running = await startProxy({ seed, network: p.network, expose: true, proxies: [definition] });
    const client = await bind("udp://0.0.0.0:0", { network: c.network, remote: "udp://p:9000" });
    for (let number = 0; number < COUNT; number += 1) {
      await client.send(String(number));
      await world.sleep(1);
    }
    await world.sleep(1_000);
    for (;;) {
      const got = await server.receive({ timeoutMs: 1 }).catch(() => undefined);
      if (got === undefined) break;
      arrived.push(Number(String(got.data)));
    }
    running.abort();
    await Promise.all([running.closed, server.close(), client.close()]);
  });
  return arrived;
}

test("each datagram has the same fate with the same seed, and loss is as likely as it says", async () => {
  const loss = { kind: "loss", from: "client", to: "server", chance: 0.14 } as const;
  const first = await fateOf(7, loss);
  assert.deepEqual(await fateOf(7, loss), first);
  assert.notDeepEqual(await fateOf(8, loss), first);
  // Three standard deviations of a binomial distribution.
  const deviation = Math.sqrt(COUNT * 0.14 * 0.86);
  assert.ok(Math.abs(COUNT - first.length - 140) < 3 * deviation, String(first.length));
});

test("datagrams are doubled, overtaken, changed, late, and lost in a partition", async () => {
  const way = { from: "client", to: "server" } as const;
  const doubled = await fateOf(1, { kind: "duplication", ...way, chance: 0.2 });
  assert.ok(doubled.length > COUNT * 1.1 && new Set(doubled).size === COUNT);
  const overtaken = await fateOf(1, { kind: "reordering", ...way, chance: 0.2, delayMs: 5 });
  assert.ok(new Set(overtaken).size === COUNT && overtaken.some((number, index) => number !== index));
  const changed = await fateOf(1, { kind: "corruption", ...way, chance: 0.2 });
  assert.ok(changed.length === COUNT && changed.some((number, index) => number !== index));
  assert.equal((await fateOf(1, { kind: "latency", ...way, latency: 50 })).length, COUNT);
  assert.deepEqual(await fateOf(1, { kind: "partition", ...way }), []);
  assert.equal((await fateOf(1, { kind: "isolate", host: "client", when: { afterMs: 500 } })).length, 500);
});

test("datagrams under way arrive at once when the last fault ends; a flow asks the kernel for room, and demands none", async () => {
  await check({ seed: 1, link: { latency: 0 } }, async (world) => {
    const [c, p, s] = [world.host("c"), world.host("p"), world.host("s")];
    const server = await bind("udp://0.0.0.0:7000", { network: s.network });
    const asked: unknown[] = [];
    const { sockets } = p.network;
    // A network whose kernel gives what it has.
    const network: Network = {
      ...p.network,
      sockets: {
        resolve: (...given) => sockets.resolve(...given),
        checkTls: (...given) => sockets.checkTls(...given),
        connect: (...given) => sockets.connect(...given),
        listen: (...given) => sockets.listen(...given),
        bind: async (local, options) => {
          asked.push([options.receiveBufferBytes, options.wantedReceiveBufferBytes]);
          return await sockets.bind(local, options);
        },
      },
    };
    const proxies = [{ name: "u", listen: "udp://0.0.0.0:9000", upstream: "udp://s:7000" }];
    const running = await startProxy({ network, expose: true, proxies });
    const client = await bind("udp://0.0.0.0:0", { network: c.network, remote: "udp://p:9000" });
    const slow = running.inflict({ kind: "latency", from: "client", to: "server", latency: 10_000 });
    await client.send("late");
    await world.sleep(10);
    slow.heal();
    assert.equal(String((await server.receive({ timeoutMs: 500 })).data), "late");
    assert.deepEqual(asked, [
      [undefined, 4_194_304],
      [undefined, 4_194_304],
    ]);
    running.abort();
    await Promise.all([running.closed, server.close(), client.close()]);
  });
});
