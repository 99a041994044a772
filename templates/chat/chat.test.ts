import assert from "node:assert/strict";
import { simTest } from "zocalo/sim";
import { enterChat, openChat } from "./chat.ts";

const chaos = { kinds: ["latency", "loss", "partition", "reset"] } as const;

// In a simulated network, twenty times: each seed has other delays, losses and lost connections.
simTest("Luis hears what Ana says, in order", { seeds: 20, chaos }, async (world) => {
  world.host("server", async (network) => {
    await openChat("tcp://0.0.0.0:7000", { network });
  });
  const heard: string[] = [];
  const luis = world.host("luis");
  await enterChat("tcp://server:7000", "Luis", {
    network: luis.network,
    heard: (from, text) => from === "Ana" && heard.push(text),
  });
  const ana = world.host("ana");
  const session = await enterChat("tcp://server:7000", "Ana", { network: ana.network, heard: () => undefined });

  const said = Array.from({ length: 10 }, (_, index) => `line ${index + 1}`);
  for (const line of said) {
    await session.remote.say(line);
    await world.sleep(500);
  }
  await world.converge("Luis has heard everything", () => heard.length >= said.length);
  assert.deepEqual(heard, said);
});
