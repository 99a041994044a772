import type { Clock, Network } from "../../src/index.ts";
import { call, contract, event, serveStateless, connectStateless, typeOnly } from "../../src/protocol.ts";
import { FAULT_KINDS, simTest, simulation } from "../../src/sim.ts";

/* Contracts over datagrams that are lost, doubled, overtaken and changed, between hosts that crash. */

const numbers = contract("numbers", "1.0.0", {
  server: {
    double: call(typeOnly<number>(), typeOnly<number>(), { idempotent: true }),
    // Long answers: the address must be proved.
    spell: call(typeOnly<number>(), typeOnly<string>(), { idempotent: true }),
    tell: event<number>(),
  },
});

const pause = (clock: Clock, ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(resolve, ms));
const spelt = (number: number): string => String(number % 10).repeat(400);

// UDP has a checksum, but the simulator's corruption gets past it; then anything may be answered.
const kinds = FAULT_KINDS.filter((kind) => !kind.includes("corrupt"));

const chaos = simulation({ name: "contracts over datagrams under chaos", chaos: { kinds } }, async (world) => {
  let answered = 0;
  world.host("server", async (network: Network) => {
    await serveStateless(numbers, "udp://0.0.0.0:7000", {
      network,
      handlers: { double: (number) => number * 2, spell: spelt, tell: (number) => world.always("told", number > 0) },
    });
  });
  world.host("client", async (network: Network) => {
    const client = await connectStateless(numbers, "udp://server:7000", { network });
    const ask = async (step: number): Promise<void> => {
      for (let number = step; ; number += 2) {
        const options = { timeoutMs: 8_000 };
        const double = await client.remote.double(number, options).catch(() => undefined);
        if (double !== undefined) world.always("the answer belongs to the question", double === number * 2);
        const text = await client.remote.spell(number, options).catch(() => undefined);
        if (text !== undefined) world.always("the long answer belongs to the question", text === spelt(number));
        world.sometimes("a call times out", double === undefined);
        world.sometimes("a call is sent again", client.stats.retransmissions > 1);
        await client.remote.tell(number).catch(() => undefined);
        if (double !== undefined && text !== undefined) answered += 1;
        await pause(network.clock, 200);
      }
    };
    await Promise.all([ask(1), ask(2)]);
  });
  await world.healed;
  const before = answered;
  await world.converge("calls are answered again", () => answered > before + 3, 60_000);
});

simTest("contracts over datagrams under chaos", { seeds: 300, checkOneIn: 1 }, chaos);
