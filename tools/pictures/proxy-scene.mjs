// Two programs behind the fault proxy, which the picture of its page shows, and what goes wrong between them. `node
// tools/pictures/proxy-scene.mjs` prints the address of the page, and runs until it is ended.
import { setTimeout as sleep } from "node:timers/promises";
import { bind, connect, serve, serveDatagrams } from "../../dist/index.js";
import { servePage, startProxy } from "../../dist/proxy.js";

/** A store of words over TCP, and a sensor over UDP, both behind proxies. */
async function scene() {
  const store = await serve("tcp://127.0.0.1:0", async (peer) => {
    for await (const bytes of peer)
      await peer.write(bytes.length > 200 ? "OK\r\n" : `VALUE ${"zócalo ".repeat(30)}\r\n`);
  });
  const sensor = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => data.subarray(0, 4));
  const running = await startProxy({
    seed: 7,
    proxies: [
      { name: "store", upstream: store.localAddress },
      { name: "sensor", upstream: sensor.localAddress },
    ],
  });
  return running;
}

/** Stores words and reads them, now and then. */
async function client(running) {
  for (;;) {
    let call;
    try {
      call = await connect(running.proxies.get("store").listen);
      for (let turn = 0; turn < 400; turn += 1) {
        await call.write(turn % 3 === 0 ? `SET plaza ${"x".repeat(300 + 40 * (turn % 9))}\r\n` : "GET plaza\r\n");
        await call.readUntil("\r\n", { timeoutMs: 5_000 });
        await sleep(60 + 50 * (turn % 5));
      }
    } catch {
      await sleep(300);
    } finally {
      call?.abort();
    }
  }
}

async function sensing(running) {
  const box = await bind("udp://127.0.0.1:0");
  for (;;) {
    await box.send(`t=${(20 + Math.random()).toFixed(2)} id=7`, running.proxies.get("sensor").listen);
    await sleep(120);
  }
}

const WAY = { from: "*", to: "*" };

/** What goes wrong, one after the other, so that the lanes have something to tell. */
async function storm(running) {
  const [store, sensor] = ["store", "sensor"].map((name) => running.proxies.get(name));
  const bandwidth = store.inflict({ kind: "bandwidth", ...WAY, bitsPerSecond: 512_000 });
  sensor.inflict({ kind: "loss", from: "client", to: "server", chance: 0.2 });
  await sleep(5_000);
  bandwidth.heal();
  sensor.inflict({ kind: "duplication", ...WAY, chance: 0.2 });
  const slow = { kind: "uniform", fromMs: 60, toMs: 180 };
  store.inflict({ kind: "latency", ...WAY, latency: slow });
  await sleep(5_000);
  store.inflict({ kind: "loss", from: "server", to: "client", chance: 0.08 });
  store.inflict({ kind: "slicing", from: "client", to: "server", averageBytes: 120, variationBytes: 40, delayMs: 25 });
}

const running = await scene();
console.log((await servePage(running)).url);
await Promise.all([client(running), client(running), sensing(running), storm(running)]);
