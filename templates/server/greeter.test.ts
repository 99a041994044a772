import assert from "node:assert/strict";
import { connect } from "zocalo";
import { lines } from "zocalo/framing";
import { simTest } from "zocalo/sim";
import { openGreeter } from "./greeter.ts";

// In a simulated network, twenty times: each seed has other delays and losses.
simTest("everybody is greeted", { seeds: 20, chaos: { kinds: ["latency", "loss"] } }, async (world) => {
  world.host("server", async (network) => {
    await openGreeter("tcp://0.0.0.0:7000", { network });
  });
  for (const name of ["Ana", "Luis"]) {
    const { network } = world.host(name);
    const talk = (await connect("tcp://server:7000", { network })).framed(lines());
    await talk.send(name);
    assert.equal(await talk.receive(), `good day, ${name}`);
    await talk.close();
  }
});
