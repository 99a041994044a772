/** The states of a connection and what changes them (RFC 9293 section 3.3.2). This table is the whole machine. */

import type { StateTable } from "../../core/state-table.ts";

/** A state; LISTEN belongs to listeners, not to connections. */
export type TcpState =
  | "SYN-SENT"
  | "SYN-RECEIVED"
  | "ESTABLISHED"
  | "FIN-WAIT-1"
  | "FIN-WAIT-2"
  | "CLOSE-WAIT"
  | "CLOSING"
  | "LAST-ACK"
  | "TIME-WAIT"
  | "CLOSED";

/**
 * What happens to a connection. `finish` is our FIN being accepted for sending, `finished` its acknowledgement; `drop`
 * is any end at once: a reset of either side, or a time-out.
 */
export type TcpEvent = "synchronized" | "syn" | "finish" | "finished" | "fin" | "drop";

/** The table. What a row does not name changes nothing. */
export const TCP_STATES: StateTable<TcpState, TcpEvent> = {
  "SYN-SENT": { synchronized: "ESTABLISHED", syn: "SYN-RECEIVED", drop: "CLOSED" },
  "SYN-RECEIVED": { synchronized: "ESTABLISHED", finish: "FIN-WAIT-1", drop: "CLOSED" },
  ESTABLISHED: { finish: "FIN-WAIT-1", fin: "CLOSE-WAIT", drop: "CLOSED" },
  "FIN-WAIT-1": { finished: "FIN-WAIT-2", fin: "CLOSING", drop: "CLOSED" },
  "FIN-WAIT-2": { fin: "TIME-WAIT", drop: "CLOSED" },
  "CLOSE-WAIT": { finish: "LAST-ACK", drop: "CLOSED" },
  CLOSING: { finished: "TIME-WAIT", drop: "CLOSED" },
  "LAST-ACK": { finished: "CLOSED", drop: "CLOSED" },
  "TIME-WAIT": { drop: "CLOSED" },
  CLOSED: {},
};

/** The state after an event. */
export function nextState(state: TcpState, event: TcpEvent): TcpState {
  return TCP_STATES[state][event] ?? state;
}
