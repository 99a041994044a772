/** Worlds for the stream suite: each test in one of its own, twice. */

import { connect, listen } from "../../src/index.ts";
import { check, type SimulateOptions, type World } from "../../src/sim.ts";
import type { OpenedStreams, StreamWorld } from "../../src/testing.ts";

/** Runs each test in a world, with the pair that `open` makes there. */
export function inWorld(options: SimulateOptions, open: (world: World) => Promise<OpenedStreams>): StreamWorld {
  return {
    run: async (body) => {
      await check(options, async (world) => {
        const { sockets, cleanup } = await open(world);
        try {
          await body(sockets);
        } finally {
          await cleanup();
        }
      });
    },
  };
}

/** Two hosts and a connection between them. */
export async function betweenHosts(world: World): Promise<OpenedStreams> {
  const server = world.host("server").network;
  const client = world.host("client").network;
  const listener = await listen("tcp://0.0.0.0:7000", { network: server });
  const [a, b] = await Promise.all([connect("tcp://server:7000", { network: client }), listener.accept()]);
  return { sockets: [a, b], cleanup: () => listener.close() };
}
