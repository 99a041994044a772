/** What a session is made of. */

import type { SessionLimits } from "../handshake/limits.ts";
import type { ReplayBounds } from "./outgoing.ts";

/** What a session is made of. */
export interface SessionSettings {
  /** Which side of the handshake this is. */
  readonly role: "client" | "server";
  /** What this side is ready to receive. */
  readonly limits: SessionLimits;
  /** What the peer is ready to receive. */
  readonly peerLimits: SessionLimits;
  /** Bounds of the messages that are not acknowledged. */
  readonly replay?: Partial<ReplayBounds> | undefined;
  /** How long the session lives without a connection, in milliseconds. Default 60,000. */
  readonly keptMs?: number | undefined;
}

/** The default of `keptMs`: long enough for a train in a tunnel. */
export const DEFAULT_KEPT_MS = 60_000;

/** The three counters with which a client asks to continue. */
export interface ResumePoint {
  /** The number of the last message that was received. */
  readonly received: number;
  /** The number of the last own message that the peer has acknowledged. */
  readonly acknowledged: number;
  /** The number of the last own message that was ever handed to a connection. */
  readonly sent: number;
}
