import { connect, listen } from "../../src/index.ts";
import { simulate, type SimulateOptions, type World } from "../../src/sim.ts";
import { type OpenedStreams, streamSuite } from "../../src/testing.ts";

/*
 * The stream suite on the simulated network: without faults, on loopback, and with those faults that TCP must hide.
 */

/** Opens a pair in a new world, which lives until the test is over. */
function inWorld(
  options: SimulateOptions,
  open: (world: World) => Promise<OpenedStreams>,
): () => Promise<OpenedStreams> {
  return () =>
    new Promise((resolve, reject) => {
      simulate(options, async (world) => {
        const { sockets, cleanup } = await open(world);
        await new Promise<void>((over) => {
          resolve({ sockets, cleanup: () => cleanup().then(over) });
        });
      }).catch(reject);
    });
}

async function betweenHosts(world: World): Promise<OpenedStreams> {
  const server = world.host("server").network;
  const client = world.host("client").network;
  const door = await listen("tcp://0.0.0.0:7000", { network: server });
  const [a, b] = await Promise.all([connect("tcp://server:7000", { network: client }), door.accept()]);
  return { sockets: [a, b], cleanup: () => door.close() };
}

async function onOneHost(world: World): Promise<OpenedStreams> {
  const { network } = world.host("alone");
  const door = await listen("tcp://[::1]:0", { network });
  const [a, b] = await Promise.all([connect(door.localAddress, { network }), door.accept()]);
  return { sockets: [a, b], cleanup: () => door.close() };
}

async function overTls(world: World): Promise<OpenedStreams> {
  const server = world.host("server").network;
  const client = world.host("client").network;
  const tls = { cert: "any", key: "any" };
  const door = await listen("tls://0.0.0.0:7000", { network: server, tls });
  const [a, b] = await Promise.all([connect("tls://server:7000", { network: client }), door.accept()]);
  return { sockets: [a, b], cleanup: () => door.close() };
}

const tcp = { traits: { reset: true, halfClose: true } };
streamSuite("simulated, one host", inWorld({ seed: 1 }, onOneHost), tcp);
streamSuite("simulated, two hosts", inWorld({ seed: 2, link: { latency: 0.1 } }, betweenHosts), tcp);
// Segments of one path keep their order unless reordering is drawn, so each fault is really there.
const faults = { loss: 0.01, duplication: 0.02, reordering: 0.02, corruption: 0.005, mtuBytes: 9000 };
const latency = { kind: "uniform", fromMs: 0.1, toMs: 0.3 } as const;
const rough = { seed: 3, explore: true, tcp: { rtoMinMs: 1 } };
streamSuite("simulated, faults that TCP hides", inWorld({ ...rough, link: { ...faults, latency } }, betweenHosts), tcp);
const bursts = { enter: 0.002, leave: 0.3, lossInBurst: 0.5 };
const slow = { loss: bursts, mtuBytes: 9000, latency: 0.5, bandwidthBitsPerSecond: 1_000_000_000 };
streamSuite("simulated, bursts of loss", inWorld({ ...rough, seed: 5, link: slow }, betweenHosts), tcp);
streamSuite("simulated tls", inWorld({ seed: 4, link: { latency: 0.1 } }, overTls), tcp);
