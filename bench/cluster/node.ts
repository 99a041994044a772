/** The process of one node: `node KIND PLACE`, with a `NodePlace` in JSON. */

import { play, type Role } from "../harness/processes.ts";
import { clusterPeer } from "./peers.ts";
import type { NodePlace } from "./peer.ts";

const [, , , kind = "", place = "{}"] = process.argv;

function node(): Role {
  let serving: Role = {};
  return {
    serve: async () => {
      serving = await (await clusterPeer(kind)).serve(JSON.parse(place) as NodePlace);
      return {};
    },
    figures: async (input) => (await serving["figures"]?.(input)) ?? {},
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return { ms: (user + system) / 1000 };
    },
    memory: () => {
      globalThis.gc?.();
      globalThis.gc?.();
      const { heapUsed, external, arrayBuffers } = process.memoryUsage();
      return { bytes: heapUsed + external + arrayBuffers };
    },
  };
}

play({ node });
