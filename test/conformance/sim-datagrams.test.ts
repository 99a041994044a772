import { check } from "../../src/sim.ts";
import { datagramSuite } from "../../src/testing/datagram/suite.ts";

/* The datagram suite on the simulated network: on the loopback interface, and between the addresses of a host. */

const traits = { refusals: true, pauses: true, name: "plaza" };
const run = (body: Parameters<Parameters<typeof datagramSuite>[1]["run"]>[0]): Promise<void> =>
  check({ seed: 1 }, async (world) => await body(world.host("plaza").network)).then(() => undefined);

const broadcast = { to: "127.255.255.255", at: "0.0.0.0" };
const group = "udp://239.1.2.3:0?interface=lo";
datagramSuite("simulated, IPv4", { host: "127.0.0.1", traits: { ...traits, group, broadcast }, run });
datagramSuite("simulated, IPv6", { host: "[::1]", traits, run });
datagramSuite("simulated, its own address", { host: "192.0.2.1", traits, run });

// Datagrams show loss; what they must not show is how late they are, and the order of events that have none.
const late = (body: Parameters<typeof run>[0]): Promise<void> =>
  check({ seed: 2, explore: true }, async (world) => {
    const host = world.host("plaza");
    world.link(host, host, { latency: { kind: "uniform", fromMs: 0, toMs: 0.5 } });
    await body(host.network);
  }).then(() => undefined);
datagramSuite("simulated, late, in an order that the seed permutes", { host: "127.0.0.1", traits, run: late });
