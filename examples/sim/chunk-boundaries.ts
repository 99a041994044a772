/** A station takes each read for one whole reading. TCP keeps no boundaries: a read may end anywhere. */

import { connect, serve } from "zocalo";
import { lines } from "zocalo/framing";
import { simulation } from "zocalo/sim";

const READINGS = 20;
/** Not among them: a connection that is lost, which this program is not about. */
const KINDS = ["latency", "loss", "burst-loss", "duplication", "reordering", "bandwidth", "pause", "skew"] as const;

/** The program with its mistake, or without. */
const program = (correct: boolean) =>
  simulation({ name: "chunk boundaries", chaos: { kinds: KINDS } }, async (world) => {
    const stored: unknown[] = [];
    const store = (text: string): void => {
      world.always("a reading is whole", /^\{"celsius":\d+\}$/.test(text));
      stored.push(text);
    };
    world.host("station", async (network) => {
      await serve(
        "tcp://0.0.0.0:7000",
        async (peer) => {
          // The remedy: a framing finds the ends of messages, however the bytes are cut.
          if (correct) for await (const line of peer.framed(lines())) store(line);
          else for await (const bytes of peer) store(String(bytes).trimEnd());
        },
        { network },
      );
    });
    const { network } = world.host("sensor");
    await using call = await connect("tcp://station:7000", { network });
    for (let number = 1; number <= READINGS; number += 1) {
      await call.write(`{"celsius":${number}}\n`);
      await world.sleep(200);
    }
    await world.converge("every reading is stored", () => stored.length === READINGS);
  });

export default program(false);
export const fixed = program(true);
