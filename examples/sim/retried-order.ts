/** A shop books an order twice, because the client retries after a lost answer and the shop does not know it is the same. */

import { connect, type Network, serve } from "zocalo";
import { lines } from "zocalo/framing";
import { simulation } from "zocalo/sim";

const ORDERS = 3;

/** The program with its mistake, or without. */
const program = (correct: boolean) =>
  simulation({ name: "retried order" }, async (world) => {
    const booked: string[] = [];
    world.host("shop", async (network) => {
      await serve(
        "tcp://0.0.0.0:7000",
        async (peer) => {
          const text = peer.framed(lines());
          for await (const order of text) {
            // The remedy: an order has a number, and a number is booked once.
            if (!correct || !booked.includes(order)) booked.push(order);
            await text.send(`booked ${order}`);
          }
        },
        { network },
      );
    });
    const client = world.host("client");
    for (let number = 1; number <= ORDERS; number += 1) {
      while (!(await book(client.network, `order ${number}`))) world.sometimes("an order is repeated", true);
      await world.sleep(1_000);
    }
    world.always("no order is booked twice", new Set(booked).size === booked.length);
  });

async function book(network: Network, text: string): Promise<boolean> {
  try {
    await using call = await connect("tcp://shop:7000", { network, timeoutMs: 2_000 });
    const shop = call.framed(lines());
    await shop.send(text, { timeoutMs: 2_000 });
    return (await shop.receive({ timeoutMs: 2_000 })) === `booked ${text}`;
  } catch {
    await new Promise<void>((resolve) => void network.clock.setTimer(resolve, 500));
    return false;
  }
}

export default program(false);
export const fixed = program(true);
