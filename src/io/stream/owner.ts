/** What the parts of a connection need of their owner. */

import type { ErrorCode } from "../../core/errors.ts";
import type { ConnectionSettings } from "./settings.ts";
import type { OperationContext } from "../operation/deadline.ts";
import type { Clock, StreamTransport } from "../network/network.ts";

/** The connection that owns its two halves and its limits. */
export interface StreamPartOwner {
  readonly clock: Clock;
  readonly settings: ConnectionSettings;
  /** The present transport; `startTls` replaces it. */
  readonly transport: StreamTransport;
  /** Names the connection in an error. */
  context(op: string): OperationContext;
  /** A write has begun to wait for the peer. */
  blocked(): void;
  /** Ends the connection because a limit ran out. */
  expire(code: ErrorCode, detail: string): void;
}
