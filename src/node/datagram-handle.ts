/**
 * The switch that stops a UDP socket from taking datagrams out of the kernel. Node has it on the handle beneath
 * `dgram.Socket` but offers no call for it. Detected before it is relied on; a runtime without it cannot pause.
 */

import type dgram from "node:dgram";

/** Starts and stops reception; both answer 0 or an error number. */
export interface ReceiveSwitch {
  recvStart(): number;
  recvStop(): number;
}

/** The switch of a bound socket; undefined where this runtime has none. */
export function receiveSwitch(socket: dgram.Socket): ReceiveSwitch | undefined {
  const key = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === "state symbol");
  if (key === undefined) return undefined;
  const state = (socket as unknown as Record<symbol, { readonly handle?: Partial<ReceiveSwitch> } | undefined>)[key];
  const handle = state?.handle;
  if (typeof handle?.recvStart !== "function" || typeof handle.recvStop !== "function") return undefined;
  return handle as ReceiveSwitch;
}
