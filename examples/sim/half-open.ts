/** A subscriber waits for news without a deadline. When the server's machine dies, no packet says so: it waits for ever. */

import { connect, type Network, serve, type StreamSocket } from "zocalo";
import { lines } from "zocalo/framing";
import { simulation } from "zocalo/sim";

const pause = (network: Network, ms: number): Promise<void> =>
  new Promise((resolve) => void network.clock.setTimer(resolve, ms));

/** Sends the time, every second. */
async function server(network: Network): Promise<void> {
  const tell = async (peer: StreamSocket): Promise<void> => {
    const subscriber = peer.framed(lines());
    for (;;) {
      await subscriber.send(`news of ${network.clock.now()}`);
      await pause(network, 1_000);
    }
  };
  await serve("tcp://0.0.0.0:7000", tell, { network });
}

/** The program with its mistake, or without. */
const program = (correct: boolean) =>
  simulation({ name: "half-open peer" }, async (world) => {
    let heardAt = 0;
    world.host("server", server);
    world.host("subscriber", async (network) => {
      // The remedy: news come every second; three seconds without any are a dead peer.
      const deadline = correct ? { timeoutMs: 3_000 } : {};
      const listen = async (): Promise<void> => {
        const call = await connect("tcp://server:7000", { network, timeoutMs: 2_000 });
        try {
          const news = call.framed(lines());
          while ((await news.receive(deadline)) !== null) heardAt = world.now;
        } finally {
          call.abort();
        }
      };
      for (;;) {
        await listen().catch(() => undefined);
        world.sometimes("the subscriber connects again", true);
        await pause(network, 500);
      }
    });
    await world.healed;
    await world.sleep(20_000);
    world.always("the subscriber hears news", world.now - heardAt < 10_000);
  });

export default program(false);
export const fixed = program(true);
