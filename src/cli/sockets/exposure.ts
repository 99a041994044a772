/** Who can reach a server: only this machine, unless the person says otherwise. */

import type { Address } from "../../index.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";

/** Refuses an address that other machines can reach, unless `--public` was given. Unix sockets stay on this machine. */
export function checkExposure(address: Address, isPublic: boolean): void {
  if (isPublic || address.transport === "unix" || address.isLoopback) return;
  const instead = address.with({ host: address.family === 6 ? "::1" : "127.0.0.1", params: {} });
  const detail = `other machines could reach this address; add --public if they shall, or use ${String(instead)}`;
  throw wrongUsage(detail, address.toString());
}
