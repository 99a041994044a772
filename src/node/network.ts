/** The kernel's network: the default of every call. */

import type { Network } from "../io/network/network.ts";
import { nodeClock, nodeRandom } from "./clock.ts";
import { connectTransport } from "./connect-transport.ts";
import { bindTransport } from "./datagram-transport.ts";
import { printDiagnostics } from "./debug-log.ts";
import { listenTransport } from "./listen-transport.ts";
import { resolve } from "./resolve.ts";
import { checkTls } from "./tls-context.ts";

printDiagnostics();

/**
 * The sockets, the clock and the randomness of this machine.
 *
 * @example
 * ```ts
 * import { type Clock, listen, nodeNetwork } from "zocalo";
 * // A clock that is one hour ahead, over the kernel's sockets.
 * const clock: Clock = {
 *   now: () => nodeNetwork.clock.now() + 3_600_000,
 *   setTimer: (callback, delayMs, background) => nodeNetwork.clock.setTimer(callback, delayMs, background),
 *   defer: (callback) => nodeNetwork.clock.defer(callback),
 * };
 * await using door = await listen("tcp://127.0.0.1:0", { network: { ...nodeNetwork, clock } });
 * console.log(String(door.localAddress));
 * ```
 */
export const nodeNetwork: Network = {
  sockets: { resolve, connect: connectTransport, listen: listenTransport, bind: bindTransport, checkTls },
  clock: nodeClock,
  random: nodeRandom,
};
