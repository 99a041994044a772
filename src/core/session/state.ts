/** The states of a session, as a table. Only what follows from it changes the state. */

import type { StateTable } from "../state-table.ts";

/**
 * - `detached`: no connection; messages wait. Every session begins so.
 * - `attached`: messages go both ways.
 * - `leaving`: a GOAWAY was sent or received; what was accepted is finished.
 * - `closing`: a CLOSE was sent in order; the answer of the peer says what has reached it.
 * - `ended`: over, for good.
 */
export type SessionStateName = "detached" | "attached" | "leaving" | "closing" | "ended";

/** What can happen to a session. */
export type SessionInput =
  /** A connection was accepted for it: its first one, or one that takes over. */
  | "attach"
  /** The connection is lost, or was taken away. */
  | "detach"
  /** A GOAWAY was sent or received. */
  | "leave"
  /** A CLOSE was sent in order. */
  | "close"
  /** It was closed by the peer or without an answer of the peer, or lost. */
  | "end";

/** What follows; what is not in the table cannot happen. */
export const SESSION_TABLE: StateTable<SessionStateName, SessionInput> = {
  detached: { attach: "attached", end: "ended" },
  attached: { attach: "attached", detach: "detached", leave: "leaving", close: "closing", end: "ended" },
  leaving: { attach: "attached", detach: "detached", leave: "leaving", close: "closing", end: "ended" },
  closing: { end: "ended" },
  ended: {},
};
