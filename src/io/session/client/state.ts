/** The states of a client of sessions, over the sessions that it has. */

import type { StateTable } from "../../../core/state-table.ts";

/**
 * - `opening`: there was no session yet.
 * - `open`: it has a session, perhaps without a connection, and another one would follow.
 * - `between`: its session is over, and another one follows.
 * - `last`: it has a session, and none follows.
 * - `finishing`: none follows, and what its sessions have accepted is being handled. A program that closes it between two
 *   sessions has it wait here for the one that takes what was asked for.
 * - `over`: that is handled, or given up.
 */
export type ClientState = "opening" | "open" | "between" | "last" | "finishing" | "over";

/** What can happen: a session begins, or is over and is followed or not; the program wants no other one; all is handled. */
export type ClientInput = "begin" | "lose" | "stop" | "end" | "finish";

export const CLIENT_TABLE: StateTable<ClientState, ClientInput> = {
  opening: { begin: "open" },
  open: { lose: "between", stop: "last", end: "finishing" },
  between: { begin: "open", stop: "finishing" },
  last: { end: "finishing" },
  finishing: { begin: "last", finish: "over" },
  over: {},
};
