/** The figures of a server of sessions, for `metrics()`. */

import { counter, gauge, type MetricFamily } from "../../../core/open-metrics.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import type { SessionStatus } from "../end.ts";
import type { SessionServerStats } from "./public.ts";

/** The connections of sessions. */
export function connectionsOf(sessions: ReadonlyMap<string, SessionFacade>): readonly StreamSocket[] {
  return [...sessions.values()].flatMap((session) => partsOf(session).endpoint.connection ?? []);
}

/** @param droppedBefore - Events that were dropped in sessions that are over. */
export function sessionFamilies(
  sessions: ReadonlyMap<string, SessionFacade>,
  stats: SessionServerStats,
  droppedBefore: number,
): readonly MetricFamily[] {
  const states: Record<SessionStatus, number> = { open: 0, detached: 0, leaving: 0, closed: 0 };
  let droppedEvents = droppedBefore;
  for (const session of sessions.values()) {
    states[session.state] += 1;
    droppedEvents += partsOf(session).endpoint.counts.droppedEvents;
  }
  const { closed: _closed, ...held } = states;
  return [
    {
      name: "zocalo_sessions",
      type: "gauge",
      help: "Sessions that are held, by state",
      samples: Object.entries(held).map(([state, value]) => ({ labels: { state }, value })),
    },
    counter("zocalo_sessions_opened", "Sessions that were made", stats.opened),
    counter("zocalo_sessions_resumed", "How often a session was continued on another connection", stats.resumed),
    counter("zocalo_sessions_ended", "Sessions that are over", stats.ended),
    counter("zocalo_handshakes_declined", "Handshakes that came to nothing", stats.declined),
    counter("zocalo_events_dropped", "Events of this side that were dropped for lack of room", droppedEvents),
    gauge("zocalo_unauthenticated", "Connections that have no session yet", stats.unauthenticated),
    gauge(
      "zocalo_sessions_held_bytes",
      "Memory that is held for all sessions and for what waits in them",
      stats.heldBytes,
    ),
  ];
}
