import assert from "node:assert/strict";
import { serve, sleep } from "zocalo";
import { lines } from "zocalo/framing";
import { simTest } from "zocalo/sim";
import { ask } from "./asker.ts";

// In a simulated network, twenty times: each seed has other delays and losses.
simTest("each question has its answer", { seeds: 20, chaos: { kinds: ["latency", "loss"] } }, async (world) => {
  world.host("server", async (network) => {
    await sleep(2_000, { network }); // The client is there first, and waits.
    await serve(
      "tcp://0.0.0.0:7000",
      async (peer) => {
        const talk = peer.framed(lines());
        for await (const line of talk) await talk.send(line.toUpperCase());
      },
      { network },
    );
  });
  const { network } = world.host("client");
  assert.deepEqual(await ask("tcp://server:7000", ["one", "two"], { network }), ["ONE", "TWO"]);
});
