/** What the parts of a connection need from the whole. */

import type { ErrorCode } from "../../core/errors.ts";
import type { ConnectionSettings } from "./settings.ts";
import type { OperationContext } from "../operation/deadline.ts";
import type { Clock, StreamTransport } from "../network/network.ts";

/** A connection, as its parts see it. */
export interface ConnectionHost {
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
