import type { Network } from "../../src/index.ts";
import { check, type LinkConditions, type SimulateOptions } from "../../src/sim.ts";
import { listenerSuite, type ListenerWorld } from "../../src/testing.ts";

/* The listener suite in worlds: each test on a host of its own, without faults and with those that TCP hides. */

function inWorld(
  options: SimulateOptions,
  loopback: LinkConditions = {},
): (body: (network: Network) => Promise<void>) => Promise<void> {
  return async (body) => {
    await check(options, async (world) => {
      const host = world.host("plaza");
      world.link(host, host, loopback);
      await body(host.network);
    });
  };
}

const tcp: ListenerWorld = {
  network: inWorld({ seed: 1 }),
  address: () => "tcp://127.0.0.1:0",
  refusal: "CONNECTION_REFUSED",
  traits: { reset: true, halfClose: true },
};

listenerSuite("simulated, IPv4", tcp);
listenerSuite("simulated, its own address, IPv6", { ...tcp, address: () => "tcp://[2001:db8::1]:0" });
const latency = { kind: "uniform", fromMs: 0.1, toMs: 0.3 } as const;
const faults = { loss: 0.02, duplication: 0.02, reordering: 0.05, corruption: 0.01, latency };
listenerSuite("simulated, faults that TCP hides, in an order that the seed permutes", {
  ...tcp,
  network: inWorld({ seed: 2, explore: true }, faults),
});
listenerSuite("simulated tls", {
  ...tcp,
  network: inWorld({ seed: 3 }),
  address: () => "tls://127.0.0.1:0",
  listen: { tls: { cert: "any", key: "any" } },
});
