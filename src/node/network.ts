/** The kernel's network: the default of every call. */

import type { Network } from "../io/network.ts";
import { nodeClock, nodeRandom } from "./clock.ts";
import { connectTransport } from "./connect-transport.ts";
import { bindTransport } from "./datagram-transport.ts";
import { printDiagnostics } from "./debug-log.ts";
import { listenTransport } from "./listen-transport.ts";
import { resolve } from "./resolve.ts";

printDiagnostics();

/** The sockets, the clock and the randomness of this machine. */
export const nodeNetwork: Network = {
  sockets: { resolve, connect: connectTransport, listen: listenTransport, bind: bindTransport },
  clock: nodeClock,
  random: nodeRandom,
};
