/** When what passes a proxy leaves: never early, and late only as far as the order demands it. In virtual time. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bind, connect, listen } from "../../src/index.ts";
import { type ProxyFault, startProxy } from "../../src/proxy.ts";
import { check, type World } from "../../src/sim.ts";

const COUNT = 200;
const TO_SERVER = { from: "client", to: "server" } as const;
/** Virtual time is counted in these. */
const MICROSECOND_MS = 0.001;

/** Milliseconds on the way of each of many bytes, or datagrams of one byte, that come at odd moments. */
async function delays(transport: "tcp" | "udp", fault: ProxyFault): Promise<readonly number[]> {
  let took: number[] = [];
  await check({ seed: 1, link: { latency: 0 } }, async (world: World) => {
    took = [];
    const [c, p, s] = [world.host("c"), world.host("p"), world.host("s")];
    const sentAt: number[] = [];
    const arrived = (count: number): void => {
      for (let byte = 0; byte < count; byte += 1) took.push(world.now - (sentAt[took.length] as number));
    };
    const isTcp = transport === "tcp";
    const door = isTcp ? await listen("tcp://0.0.0.0:7000", { network: s.network }) : undefined;
    const box = isTcp ? undefined : await bind("udp://0.0.0.0:7000", { network: s.network });
    const definition = { name: "p", listen: `${transport}://0.0.0.0:9000`, upstream: `${transport}://s:7000` };
    const proxies = [{ ...definition, faults: [fault] }];
    const running = await startProxy({ network: p.network, expose: true, proxies });
    const call = isTcp ? await connect("tcp://p:9000", { network: c.network }) : undefined;
    const client = isTcp ? undefined : await bind("udp://0.0.0.0:0", { network: c.network, remote: "udp://p:9000" });
    const receiving = (async () => {
      if (door !== undefined) for await (const bytes of await door.accept()) arrived(bytes.length);
      if (box !== undefined) for await (const { data } of box) arrived(data.length);
    })();
    for (let number = 0; number <= COUNT; number += 1) {
      sentAt.push(world.now);
      await (call?.write("x") ?? client?.send("x"));
      await world.sleep(number === 0 ? 1_000 : 1.237 * (number % 9));
    }
    await world.sleep(1_000);
    await call?.close();
    await client?.close();
    await running.close();
    await Promise.all([door?.close(), box?.close(), receiving]);
  });
  assert.equal(took.length, 1 + COUNT);
  // The first one waits until the proxy has reached the server.
  return took.slice(1);
}

for (const transport of ["tcp", "udp"] as const) {
  test(`${transport}: each byte is late by the latency, to a microsecond`, async () => {
    const took = await delays(transport, { kind: "latency", ...TO_SERVER, latency: 100 });
    const [least, most] = [Math.min(...took), Math.max(...took)];
    assert.ok(least > 100 - MICROSECOND_MS && most < 100 + MICROSECOND_MS, `${least} to ${most}`);
  });

  test(`${transport}: with jitter no byte is early, and none is later than the jitter allows`, async () => {
    const latency = { kind: "uniform", fromMs: 50, toMs: 150 } as const;
    const took = await delays(transport, { kind: "latency", ...TO_SERVER, latency });
    const [least, most] = [Math.min(...took), Math.max(...took)];
    assert.ok(least > 50 - MICROSECOND_MS && most < 150 + MICROSECOND_MS, `${least} to ${most}`);
    assert.ok(most - least > 50);
  });
}
