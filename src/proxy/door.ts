/** The door of a proxy: an open listener, or a bound datagram socket. */

import type { Address } from "../core/address/address.ts";
import type { Clock, Network } from "../io/network/network.ts";
import type { GracefulCloseOptions } from "../io/operation/graceful-close.ts";
import type { FaultBoard } from "./fault-board.ts";
import type { ProxiedConnection } from "./public.ts";
import type { ReportLedger } from "./report.ts";
import type { ProxyWatch } from "./watch.ts";

/** The open door of a proxy, of one kind of socket. */
export interface ProxyDoor {
  readonly localAddress: Address;
  readonly connections: readonly ProxiedConnection[];
  close(options: GracefulCloseOptions): Promise<{ readonly finished: number; readonly cut: number }>;
  abort(reason: unknown): Promise<unknown>;
}

/** What a door works with. */
export interface DoorParts {
  readonly network: Network;
  /** Of what waits because of a fault. */
  readonly clock: Clock;
  readonly board: FaultBoard;
  readonly ledger: ReportLedger;
  readonly watch: ProxyWatch;
}
