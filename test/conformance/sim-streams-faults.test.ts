import { streamSuite } from "../../src/testing.ts";
import { betweenHosts, inWorld } from "./sim-stream-worlds.ts";

/* The stream suite on the simulated network with those faults that TCP must hide. */

const tcp = { traits: { reset: true, halfClose: true } };
// Segments of one path keep their order unless reordering is drawn, so each fault is really there.
const faults = { loss: 0.01, duplication: 0.02, reordering: 0.02, corruption: 0.005, mtuBytes: 9000 };
const latency = { kind: "uniform", fromMs: 0.1, toMs: 0.3 } as const;
const rough = { seed: 3, explore: true, tcp: { rtoMinMs: 1 } };
streamSuite("simulated, faults that TCP hides", inWorld({ ...rough, link: { ...faults, latency } }, betweenHosts), tcp);
const bursts = { enter: 0.002, leave: 0.3, lossInBurst: 0.5 };
const slow = { loss: bursts, mtuBytes: 9000, latency: 0.5, bandwidthBitsPerSecond: 1_000_000_000 };
streamSuite("simulated, bursts of loss", inWorld({ ...rough, seed: 5, link: slow }, betweenHosts), tcp);
