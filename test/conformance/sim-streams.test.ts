import { connect, listen } from "../../src/index.ts";
import type { World } from "../../src/sim.ts";
import { type OpenedStreams, streamSuite } from "../../src/testing.ts";
import { betweenHosts, inWorld } from "./sim-stream-worlds.ts";

/* The stream suite on the simulated network without faults; with those that TCP must hide: sim-streams-faults.test.ts. */

async function onOneHost(world: World): Promise<OpenedStreams> {
  const { network } = world.host("alone");
  const listener = await listen("tcp://[::1]:0", { network });
  const [a, b] = await Promise.all([connect(listener.localAddress, { network }), listener.accept()]);
  return { sockets: [a, b], cleanup: () => listener.close() };
}

async function overTls(world: World): Promise<OpenedStreams> {
  const server = world.host("server").network;
  const client = world.host("client").network;
  const tls = { cert: "any", key: "any" };
  const listener = await listen("tls://0.0.0.0:7000", { network: server, tls });
  const [a, b] = await Promise.all([connect("tls://server:7000", { network: client }), listener.accept()]);
  return { sockets: [a, b], cleanup: () => listener.close() };
}

const tcp = { traits: { reset: true, halfClose: true } };
streamSuite("simulated, one host", inWorld({ seed: 1 }, onOneHost), tcp);
streamSuite("simulated, two hosts", inWorld({ seed: 2, link: { latency: 0.1 } }, betweenHosts), tcp);
streamSuite("simulated tls", inWorld({ seed: 4, link: { latency: 0.1 } }, overTls), tcp);
