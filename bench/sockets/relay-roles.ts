/** The process in the middle: raw `pipe` of `node:net`, and Zócalo's `relay`, from a listener to a server. */

import net from "node:net";
import { connect, relay, serve } from "../../src/index.ts";
import type { Figures, Role } from "../harness/processes.ts";

const HOST = "127.0.0.1";

/** Microseconds of processor time since it was asked for the last time. */
export function spent(): () => Figures {
  let before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    return { cpu: user + system };
  };
}

export function rawBetween(): Role {
  return {
    serve: ({ port = 0 }) =>
      new Promise((resolve) => {
        const listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
          const far = net.connect({ port, host: HOST, allowHalfOpen: true, noDelay: true });
          near.pipe(far).pipe(near);
          // The benchmark ends by closing one side.
          for (const socket of [near, far]) socket.on("error", () => socket.destroy());
        });
        listener.listen(0, HOST, () => resolve({ port: (listener.address() as net.AddressInfo).port }));
      }),
    spent: spent(),
  };
}

export function zocaloBetween(): Role {
  return {
    serve: async ({ port = 0 }) => {
      const listener = await serve(
        `tcp://${HOST}:0`,
        async (near) => await relay(near, await connect({ host: HOST, port })),
      );
      return { port: listener.localAddress.port };
    },
    spent: spent(),
  };
}
