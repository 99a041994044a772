/** The states of a session, as a table. Only what follows from it changes the state. */

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
const SESSION_TABLE: Readonly<Record<SessionStateName, Partial<Record<SessionInput, SessionStateName>>>> = {
  detached: { attach: "attached", end: "ended" },
  attached: { attach: "attached", detach: "detached", leave: "leaving", close: "closing", end: "ended" },
  leaving: { attach: "attached", detach: "detached", leave: "leaving", close: "closing", end: "ended" },
  closing: { end: "ended" },
  ended: {},
};

/** The state that follows; undefined when that cannot happen. */
export function nextState(state: SessionStateName, input: SessionInput): SessionStateName | undefined {
  return SESSION_TABLE[state][input];
}

/** The table as a Mermaid diagram, for the documentation. */
export function sessionDiagram(): string {
  const lines = Object.entries(SESSION_TABLE).flatMap(([from, inputs]) =>
    Object.entries(inputs).map(([input, to]) => `  ${from} --> ${to}: ${input}`),
  );
  return ["stateDiagram-v2", "  [*] --> detached", ...lines, "  ended --> [*]", ""].join("\n");
}
