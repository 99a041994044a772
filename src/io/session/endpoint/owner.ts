/** What the server or the client that a session belongs to is told about it. */

import type { SessionEnd } from "../end.ts";
import type { SessionGap } from "../gap.ts";

/** Told what happens to a session: the server or the client that it belongs to. */
export interface SessionOwner<Endpoint> {
  /** A connection was attached. */
  attached(endpoint: Endpoint, resumed: boolean, replayed: number): void;
  /** The peer has the welcome of this connection. */
  confirmed(endpoint: Endpoint): void;
  /** The connection is lost or given up; the session is not. */
  detached(endpoint: Endpoint): void;
  /** The peer leaves. */
  leaving(endpoint: Endpoint, survives: boolean, retryAfterMs: number): void;
  /** The memory that the session holds has changed. */
  holds(endpoint: Endpoint, bytes: number): void;
  /** The session is over; events that it has accepted are still being handled. */
  ended(endpoint: Endpoint, end: SessionEnd): void;
  /** What it has accepted is handled, or given up. */
  finished(endpoint: Endpoint, end: SessionEnd): void;
  /** Where what a session is asked for that is over waits for the next one; undefined when none follows. */
  gapBehind(endpoint: Endpoint): SessionGap | undefined;
  /** Something failed that nobody awaits: a handler threw, the peer sent what the schema does not allow. */
  problem(endpoint: Endpoint, error: unknown): void;
}

/** A change is news when it is so large, ... */
const REPORT_BYTES = 1024;
/** ... and so large a part of what was told before: most changes of a busy session are not. */
const REPORT_PART = 8;

/** Whether the owner, who was told of `toldBytes`, must be told of `heldBytes`. */
export function isNews(heldBytes: number, toldBytes: number): boolean {
  const change = Math.abs(heldBytes - toldBytes);
  return change >= REPORT_BYTES && change * REPORT_PART >= toldBytes;
}
