/** What the parts of a mailbox need from the whole. */

import type { ZocaloError } from "../../core/errors.ts";
import type { OperationContext } from "../operation/deadline.ts";
import type { Clock, DatagramTransport } from "../network/network.ts";

/** A mailbox, as its parts see it. */
export interface MailboxHost {
  readonly clock: Clock;
  readonly transport: DatagramTransport;
  /** Names the mailbox in an error; `remote` defaults to the partner of a connected one. */
  context(op: string, remote?: string): OperationContext;
  /** Takes the error that the network has reported for the next call. */
  takeError(): ZocaloError | undefined;
}
