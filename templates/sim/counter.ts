/** A counter over UDP, in a network that a seed breaks. A request that is repeated must not be counted twice. */

import { bind, type Network } from "zocalo";
import { simulation, type World } from "zocalo/sim";

/** Counts each number once, however often it is asked. Take `counted` away, and see what a hunt finds. */
async function counter(network: Network): Promise<void> {
  const counted = new Set<string>();
  const box = await bind("udp://0.0.0.0:5000", { network });
  for await (const { data, from } of box) {
    counted.add(data.toString());
    await box.send(String(counted.size), from);
  }
}

/** The whole program: a server, and a client which asks until it has an answer. */
export async function program(world: World, tell: (text: string) => void = () => undefined): Promise<void> {
  world.host("counter", counter);
  const box = await bind("udp://0.0.0.0:0", { network: world.host("client").network });
  for (let asked = 1; asked <= 5; asked += 1) {
    let count: string | undefined;
    for (let tries = 0; count === undefined; tries += 1) {
      world.sometimes("a request is repeated", tries > 0);
      await box.send(String(asked), "udp://counter:5000");
      count = await box.receive({ timeoutMs: 300 }).then(
        ({ data }) => data.toString(),
        () => undefined,
      );
    }
    tell(`request ${asked}: counted ${count}`);
    world.always("no request is counted twice", Number(count) <= asked);
    await world.sleep(500);
  }
}

/** Which faults there may be. A counter that crashes would forget what it has counted. */
export const chaos = { kinds: ["latency", "loss", "duplication", "pause"] } as const;

export default simulation({ name: "counter", chaos }, (world) => program(world, console.log));
