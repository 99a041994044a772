/** The same seed and the same traffic: the same faults at the same points of each connection, whatever other connections do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type Network, nodeNetwork, serve, type StreamSocket } from "../../src/index.ts";
import { type ProxyFault, startProxy } from "../../src/proxy.ts";
import { check } from "../../src/sim.ts";

const RUNS = 100;
const OTHERS = 50;
const ANY_WAY = { from: "*", to: "*" } as const;

async function echo(peer: StreamSocket): Promise<void> {
  for await (const bytes of peer) await peer.write(bytes);
}

/** Questions and answers of one connection, always the same for its number. Answers what came back. */
async function talk(call: StreamSocket, number: number, messages: number): Promise<string> {
  let heard = "";
  for (let message = 1; message <= messages; message += 1) {
    const size = 1 + ((number * 37 + message * 101) % 800);
    await call.write(Buffer.alloc(size, 96 + message));
    heard += String(await call.readExactly(size));
  }
  await call.end();
  assert.equal(await call.read(), null);
  return heard;
}

interface Place {
  readonly upstream: string;
  readonly listen: string;
  readonly client: Network;
  readonly proxy: Network;
}

interface Outcome {
  readonly heard: string;
  /** Of the first connection, and of the whole run. */
  readonly first: string;
  readonly all: string;
}

/** One run: the first connection, and others that begin after it in an order of their own and talk meanwhile. */
async function run(place: Place, faults: readonly ProxyFault[], others: number, messages: number): Promise<Outcome> {
  const { upstream, listen, client: network } = place;
  const proxies = [{ name: "p", upstream, listen, faults }];
  const running = await startProxy({ seed: 7, network: place.proxy, expose: true, proxies });
  const door = running.proxies.get("p")?.listen;
  assert.ok(door !== undefined);
  const target = door.with({ host: new URL(listen).hostname === "0.0.0.0" ? "p" : door.host });
  const calls: StreamSocket[] = [];
  for (let number = 1; number <= 1 + others; number += 1) calls.push(await connect(target, { network }));
  const [heard = ""] = await Promise.all(calls.map((call, index) => talk(call, index + 1, index === 0 ? messages : 2)));
  await Promise.all(calls.map((call) => call.close()));
  await running.close();
  const { digest, details } = running.report();
  return { heard, first: JSON.stringify(details.find(({ number }) => number === 1)), all: digest };
}

function distinct(outcomes: readonly Outcome[], part: keyof Outcome): number {
  return new Set(outcomes.map((outcome) => outcome[part])).size;
}

function compare(alone: readonly Outcome[], crowded: readonly Outcome[]): void {
  for (const part of ["heard", "first"] as const) assert.equal(distinct([...alone, ...crowded], part), 1, part);
  assert.equal(distinct(alone, "all"), 1);
  assert.equal(distinct(crowded, "all"), 1);
}

test("100 of 100 runs have the same report, ten of them beside 50 other connections", async () => {
  const faults: readonly ProxyFault[] = [
    { kind: "loss", ...ANY_WAY, chance: 0.1 },
    { kind: "latency", ...ANY_WAY, latency: { kind: "uniform", fromMs: 1, toMs: 30 } },
    { kind: "corruption", ...ANY_WAY, chance: 0.1 },
    { kind: "bandwidth", ...ANY_WAY, bitsPerSecond: 8_000_000 },
  ];
  // A read that is cut is other traffic: each part of it is planned by itself.
  await check({ seed: 1, link: { latency: 0 }, cutReads: false }, async (world) => {
    const [c, p, s] = [world.host("c"), world.host("p"), world.host("s")];
    await serve("tcp://0.0.0.0:7000", echo, { network: s.network });
    const place = { upstream: "tcp://s:7000", listen: "tcp://0.0.0.0:9000", client: c.network, proxy: p.network };
    const alone: Outcome[] = [];
    const crowded: Outcome[] = [];
    for (let number = 0; number < RUNS; number += 1) {
      const isCrowded = number % 10 === 9;
      const outcome = await run(place, faults, isCrowded ? OTHERS : 0, 8);
      (isCrowded ? crowded : alone).push(outcome);
    }
    compare(alone, crowded);
    assert.match(alone[0]?.first ?? "", /"loss":[1-9]/);
  });
});

test("so it is on loopback, to the bit that flips", async () => {
  const faults: readonly ProxyFault[] = [
    { kind: "corruption", ...ANY_WAY, chance: 0.4, middlebox: true },
    { kind: "latency", ...ANY_WAY, latency: { kind: "uniform", fromMs: 0, toMs: 1 } },
  ];
  await using target = await serve("tcp://127.0.0.1:0", echo);
  const upstream = String(target.localAddress);
  const place = { upstream, listen: "tcp://127.0.0.1:0", client: nodeNetwork, proxy: nodeNetwork };
  const alone = [await run(place, faults, 0, 20), await run(place, faults, 0, 20)];
  const crowded = [await run(place, faults, OTHERS, 20), await run(place, faults, OTHERS, 20)];
  compare(alone, crowded);
  assert.match(alone[0]?.first ?? "", /"corruption":[1-9]/);
});
