/** What the parts of a datagram socket need of their owner. */

import type { ZocaloError } from "../../core/errors.ts";
import type { Clock } from "../network/network.ts";
import type { DatagramTransport, SendFailure } from "../network/datagrams.ts";
import type { OperationContext } from "../operation/deadline.ts";

/** The datagram socket that owns its two halves. */
export interface DatagramPartOwner {
  readonly clock: Clock;
  readonly transport: DatagramTransport;
  /** Names the datagram socket in an error; `remote` defaults to the peer of a connected one. */
  context(op: string, remote?: string): OperationContext;
  /** Takes the error that the network has reported for the next call. */
  takeError(): ZocaloError | undefined;
}

/** What `sendMany` did. */
export interface SendReport {
  /** Datagrams that the kernel has taken. */
  readonly sent: number;
  /** Those that it refused, with their places in the input, in order; empty when it took all. */
  readonly failures: readonly SendFailure[];
}
