/** A ticker keeps what a reader has not taken yet, without a limit: one slow reader fills the memory. */

import { connect, serve } from "zocalo";
import { simulation } from "zocalo/sim";

const MOST_WAITING = 50;
const TICKS = 400;
const tick = (number: number): Buffer => Buffer.alloc(1_000, number);
/** Small, so that the program's own buffer matters soon. */
const tcp = { sendBufferBytes: 8_192, receiveBufferBytes: 8_192 };

/** The program with its mistake, or without. */
const program = (correct: boolean) =>
  simulation({ name: "slow reader", tcp }, async (world) => {
    world.host("ticker", async (network) => {
      await serve(
        "tcp://0.0.0.0:7000",
        async (peer) => {
          const waiting: Buffer[] = [];
          let writing = false;
          const flush = async (): Promise<void> => {
            writing = true;
            for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await peer.write(next);
            writing = false;
          };
          for (let number = 0; number < TICKS && !peer.signal.aborted; number += 1) {
            // The remedy: a limit, and an old tick that nobody took is worth nothing.
            if (correct && waiting.length === MOST_WAITING) waiting.shift();
            waiting.push(tick(number));
            world.always("what waits for a reader is bounded", waiting.length <= MOST_WAITING);
            world.sometimes("something waits", waiting.length > 1);
            if (!writing) flush().catch(() => undefined);
            await new Promise<void>((resolve) => void network.clock.setTimer(resolve, 20));
          }
        },
        { network, onError: () => undefined },
      );
    });
    world.host("reader", async (network) => {
      const read = async (): Promise<void> => {
        await using call = await connect("tcp://ticker:7000", { network, timeoutMs: 2_000 });
        await call.write("hola");
        for await (const bytes of call) world.sometimes("ticks arrive", bytes.length > 0);
      };
      for (;;) {
        await read().catch(() => undefined);
        await new Promise<void>((resolve) => void network.clock.setTimer(resolve, 500));
      }
    });
    await world.sleep(15_000);
  });

export default program(false);
export const fixed = program(true);
