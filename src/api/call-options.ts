/** What calls take beside their own options: the network. */

import { checkOptions, OBJECT, type OptionRules } from "../core/options/check-options.ts";
import type { Network } from "../io/network/network.ts";
import { nodeNetwork } from "../node/network.ts";

/** Where a call happens. */
export interface NetworkOption {
  /** The network to use. Default: the kernel's. */
  readonly network?: Network | undefined;
}

const PARTS = ["sockets", "clock", "random"] as const;

/** What {@link NetworkOption} must look like. */
export const NETWORK_RULES: OptionRules = {
  network: {
    wanted: "an object with sockets, clock and random",
    holds: (value) => PARTS.every((part) => OBJECT.holds((value as Partial<Network> | null)?.[part])),
  },
};

/** The network of the call `op`, which checks its other options itself. */
export function networkOf(op: string, options: NetworkOption): Network {
  const { network } = checkOptions({ op }, { network: options?.network }, NETWORK_RULES);
  return network ?? nodeNetwork;
}

/** Whether a call has the kernel's sockets, and not those of a simulated world. */
export function isOnKernel({ network }: NetworkOption): boolean {
  return network === undefined || network.sockets === nodeNetwork.sockets;
}
