/** An outbox sleeps until somebody adds a message. Who adds one while it reconnects wakes nobody, and it sleeps for ever. */

import { connect, type Network, serve, type StreamSocket } from "zocalo";
import { lines } from "zocalo/framing";
import { simulation } from "zocalo/sim";

const MESSAGES = 10;
const deadline = { timeoutMs: 2_000 };

/** Answers every message, so that the outbox knows that it has arrived. */
async function echo(peer: StreamSocket): Promise<void> {
  const client = peer.framed(lines());
  for await (const message of client) await client.send(message);
}

/** The program with its mistake, or without. */
const program = (correct: boolean) =>
  simulation({ name: "lost wake-up" }, async (world) => {
    const waiting: string[] = [];
    let wake = (): void => undefined;
    const sendAll = async (network: Network): Promise<void> => {
      const call = await connect("tcp://server:7000", { network, ...deadline });
      try {
        const server = call.framed(lines());
        for (;;) {
          // The remedy: look before sleeping, since what is there will not wake anybody again.
          if (!correct || waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
          for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
            await server.send(next, deadline);
            if ((await server.receive(deadline)) === next) waiting.shift();
          }
        }
      } finally {
        call.abort();
      }
    };
    world.host("server", async (network) => {
      await serve("tcp://0.0.0.0:7000", echo, { network });
    });
    world.host("client", async (network) => {
      for (;;) {
        await sendAll(network).catch(() => world.sometimes("the connection is lost", true));
        await new Promise<void>((resolve) => void network.clock.setTimer(resolve, 500));
      }
    });
    for (let number = 1; number <= MESSAGES; number += 1) {
      await world.sleep(500);
      waiting.push(`message ${number}`);
      wake();
    }
    await world.converge("everything is sent", () => waiting.length === 0);
  });

export default program(false);
export const fixed = program(true);
