/** The scenes of bench/sim.ts: each runs worlds in a process of its own and answers figures. */

import { DEFAULT_CONDITIONS } from "../../src/core/faults/conditions.ts";
import { hashText, RandomStream } from "../../src/core/faults/random-stream.ts";
import { connect, type Network, nodeNetwork, serve, type StreamSocket } from "../../src/index.ts";
import { simulate, type World } from "../../src/sim.ts";
import { type Packet, Route } from "../../src/sim/kernel/packet.ts";
import { RealWork } from "../../src/sim/time/real-work.ts";
import { Scheduler } from "../../src/sim/time/scheduler.ts";
import { Fabric, type FabricHost } from "../../src/sim/world/fabric.ts";
import { Trace } from "../../src/sim/world/trace.ts";
import { type Figures, play, type Role } from "../harness/processes.ts";

// Taken before any world guards them.
const now = performance.now.bind(performance);
const cpuUsage = process.cpuUsage.bind(process);
const SECOND_MS = 1000;
const PORT = 7000;
const REQUEST = Buffer.alloc(64, 1);
const HEARTBEAT = Buffer.alloc(16, 2);

/** Real time and processor time from its making on. */
class Watch {
  readonly #startedMs = now();
  readonly #cpu = cpuUsage();

  /** Figures for `count` of something. */
  figures(count: number): Figures {
    const ms = now() - this.#startedMs;
    const { user, system } = cpuUsage(this.#cpu);
    return { rate: (count / ms) * SECOND_MS, cpuUs: (user + system) / count, seconds: ms / SECOND_MS };
  }
}

async function echo(network: Network): Promise<number> {
  const handler = async (peer: StreamSocket): Promise<void> => {
    for await (const bytes of peer) await peer.write(bytes);
  };
  const address = network === nodeNetwork ? "tcp://127.0.0.1:0" : `tcp://[::]:${PORT}`;
  const listener = await serve(address, handler, {
    network,
    limits: { maxConnections: 100_000, maxConnectionsPerAddress: 100_000 },
  });
  return listener.localAddress.port;
}

async function exchange(call: StreamSocket, count: number, request: Buffer): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    await call.write(request);
    await call.readExactly(request.length);
  }
}

/** Request and reply on one connection, one after the other, in a world. */
async function simulatedExchanges(count: number): Promise<Figures> {
  const { value } = await simulate({ cutReads: false }, async (world) => {
    world.host("server", async (network) => void (await echo(network)));
    const call = await connect(`tcp://server:${PORT}`, { network: world.host("client").network });
    const watch = new Watch();
    await exchange(call, count, REQUEST);
    return watch.figures(count);
  });
  return value;
}

/** The same program on the loopback interface, client and server in one process too. */
async function loopbackExchanges(count: number): Promise<Figures> {
  const port = await echo(nodeNetwork);
  await using call = await connect(`tcp://127.0.0.1:${port}`);
  const watch = new Watch();
  await exchange(call, count, REQUEST);
  return watch.figures(count);
}

/** Events of the fabric alone: hosts in a ring that pass packets on, no program anywhere. */
async function fabricEvents(count: number): Promise<Figures> {
  const work = new RealWork({});
  const fail = (): Error => new Error("the ring stands still");
  const watch = { deadlock: fail, livelock: fail, tooLong: fail, frozen: (): void => undefined };
  const limits = { livelockEvents: 1_000_000, limitUs: Number.MAX_SAFE_INTEGER, permutation: undefined };
  const scheduler = new Scheduler(limits, work, watch);
  const fabric = new Fabric(scheduler, new Trace({}, undefined), (label) => new RandomStream(1, label));
  fabric.defaults = { ...DEFAULT_CONDITIONS, lossOutside: 0 };
  const hosts = 100;
  const ip = (index: number): string => `192.0.2.${(index % hosts) + 1}`;
  for (let index = 0; index < hosts; index += 1) {
    const route = new Route("udp", { ip: ip(index), port: PORT }, { ip: ip(index + 1), port: PORT });
    const packet: Packet = { kind: "udp", route, data: REQUEST };
    const name = `h${index}`;
    const host: FabricHost = {
      name,
      nameHash: hashText(name),
      addresses: [ip(index)],
      silent: false,
      arrive: () => fabric.send(host, packet, index),
    };
    fabric.add(host);
    scheduler.at(index, index, () => fabric.send(host, packet, index));
  }
  const clock = new Watch();
  await scheduler.run(() => scheduler.events >= count);
  const figures = clock.figures(scheduler.events);
  work.stop();
  return figures;
}

/** Bytes of one connection, with the events that they take. */
async function bulk(mebibytes: number): Promise<Figures> {
  const bytes = mebibytes * 1_048_576;
  let figures: Figures = {};
  const { events } = await simulate({ cutReads: false }, async (world) => {
    const { network } = world.host("server");
    let arrived = (): void => undefined;
    const all = new Promise<void>((resolve) => (arrived = resolve));
    const sink = async (peer: StreamSocket): Promise<void> => {
      for (let left = bytes; left > 0; ) left -= (await peer.read())?.length ?? 0;
      arrived();
    };
    await serve(`tcp://0.0.0.0:${PORT}`, sink, { network });
    const call = await connect(`tcp://server:${PORT}`, { network: world.host("client").network });
    const watch = new Watch();
    const piece = Buffer.alloc(65_536, 3);
    for (let sent = 0; sent < bytes; sent += piece.length) await call.write(piece);
    await all;
    figures = watch.figures(mebibytes);
  });
  return { ...figures, events: events / (figures["seconds"] ?? 1) };
}

/** A star: every host beats every 10 seconds of `hours` virtual hours, and the hub answers. */
async function heartbeats({ hosts = 100, hours = 1 }: Figures): Promise<Figures> {
  const watch = new Watch();
  const { events } = await simulate({ link: { latency: 10 } }, async (world) => {
    world.host("hub", async (network) => void (await echo(network)));
    const beat = async (network: Network): Promise<void> => {
      const call = await connect(`tcp://hub:${PORT}`, { network });
      for (let beats = 0; beats < hours * 360; beats += 1) {
        await exchange(call, 1, HEARTBEAT);
        await new Promise<void>((resolve) => void network.clock.setTimer(resolve, 10_000));
      }
    };
    const star = Array.from({ length: hosts }, (_, index) => beat(world.host(`h${index}`).network));
    await Promise.all(star);
  });
  const figures = watch.figures(hosts * hours * 360);
  return { ...figures, events: events / (figures["seconds"] ?? 1) };
}

/** The memory of connections that nothing happens on: both ends, in one world. */
async function idleMemory(count: number): Promise<Figures> {
  const { value } = await simulate({}, async (world) => {
    world.host("server", async (network) => void (await echo(network)));
    const calls: StreamSocket[] = [];
    await crowd(world, calls, 1_000);
    const few = used();
    await crowd(world, calls, count);
    return { bytes: (used() - few) / count, held: calls.length };
  });
  return value;
}

async function crowd(world: World, calls: StreamSocket[], count: number): Promise<void> {
  const { network } = world.hosts[1] ?? world.host("client");
  for (let index = 0; index < count; index += 1) calls.push(await connect(`tcp://server:${PORT}`, { network }));
  // Retransmission timers and what else was under way is over.
  await world.sleep(60_000);
}

function used(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Many hosts in one world: each serves, calls its neighbour and has one answer. */
async function manyHosts(hosts: number): Promise<Figures> {
  const watch = new Watch();
  const before = used();
  const { value } = await simulate({ link: { latency: 5 } }, async (world) => {
    for (let index = 0; index < hosts; index += 1)
      world.host(`h${index}`, async (network) => void (await echo(network)));
    await world.sleep(1);
    const neighbours = world.hosts.map(async ({ network }, index) => {
      const call = await connect(`tcp://h${(index + 1) % hosts}:${PORT}`, { network });
      await exchange(call, 1, REQUEST);
      return call;
    });
    const calls = await Promise.all(neighbours);
    return { bytes: (used() - before) / hosts, held: calls.length };
  });
  return { ...watch.figures(hosts), ...value };
}

const role =
  (run: (input: Figures) => Promise<Figures>): (() => Role) =>
  () => ({ run });
const counted = (run: (count: number) => Promise<Figures>): (() => Role) => role(({ count = 0 }) => run(count));

play({
  simulatedExchanges: counted(simulatedExchanges),
  loopbackExchanges: counted(loopbackExchanges),
  fabricEvents: counted(fabricEvents),
  bulk: counted(bulk),
  heartbeats: role(heartbeats),
  idleMemory: counted(idleMemory),
  manyHosts: counted(manyHosts),
});
