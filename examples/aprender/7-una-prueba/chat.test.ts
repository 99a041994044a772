import assert from "node:assert/strict";
import { simTest } from "zocalo/sim";
import { enter, openChat } from "./chat.ts";

const chaos = { kinds: ["latency", "loss", "partition", "reset"] } as const;

simTest("Luis oye lo que dice Ana", { seeds: 100, chaos }, async (world) => {
  world.host("servidor", (network) => openChat("tcp://0.0.0.0:7000", { network }));
  const heard: string[] = [];
  const luis = world.host("luis");
  await enter("Luis", "tcp://servidor:7000", { network: luis.network, heard: (text) => heard.push(text) });
  const ana = world.host("ana");
  const session = await enter("Ana", "tcp://servidor:7000", { network: ana.network });

  const said = Array.from({ length: 20 }, (_, index) => `línea ${index + 1}`);
  for (const line of said) {
    await session.remote.say(line);
    await world.sleep(500);
  }
  await world.converge("Luis ha oído otras tantas líneas", () => heard.length >= said.length);
  assert.deepEqual(heard, said);
});
