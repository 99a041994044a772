/** How a server leaves its sessions when it is closed: they end; or, with a journal, another server goes on with them. */

import { ConnectionError } from "../../../core/errors.ts";
import { type RulesOf, wholeNumber } from "../../../core/options/check-options.ts";
import { CLOSE_SERVER_RULES, type GracefulClose } from "../../operation/graceful-close.ts";
import type { Clock } from "../../network/network.ts";
import { turns } from "../../stream/linger.ts";
import type { SessionEnd } from "../end.ts";
import type { SessionEndpoint } from "../endpoint/endpoint.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import type { SessionJournaling } from "./journaling.ts";
import type { CloseSessionsOptions } from "./public.ts";

/** What a client can be told to wait at most: the field of the GOAWAY has 32 bits, and its largest number means never. */
const LONGEST_SPREAD_MS = 0xffff_fffe;
/** What the options of a server's `close` must look like. */
export const CLOSE_SESSIONS_RULES: RulesOf<CloseSessionsOptions> = {
  ...CLOSE_SERVER_RULES,
  reconnectSpreadMs: wholeNumber(0, LONGEST_SPREAD_MS),
};
import { sendAside } from "./stall.ts";

/** What clients are told. */
export const LEAVING = "the server is leaving";
/** Turns of the event loop in which the last words leave: enough for answers that are here already. */
const LAST_TURNS = 8;

/** The server that leaves. */
interface LeavingServer {
  readonly clock: Clock;
  readonly closing: Pick<GracefulClose<unknown>, "expired">;
  readonly journaling: SessionJournaling | undefined;
  /** When the next client is to come back. */
  retryAfterMs(): number;
  /** Nothing is under way any more. */
  idle(): void;
}

/** Leaves sessions; answers in how many of them something was cut. */
export async function leaveSessions(sessions: Iterable<SessionFacade>, server: LeavingServer): Promise<number> {
  const { clock, closing, journaling } = server;
  const leaving = Array.from(sessions, (session) => {
    const { endpoint } = partsOf(session);
    const wasOver = endpoint.end !== undefined;
    const moves = !wasOver && endpoint.terms.machine.journaled === true;
    const idle = moves
      ? quiet(endpoint, closing.expired)
      : endpoint.ending.leave(server.retryAfterMs(), closing.expired);
    return { session, endpoint, wasOver, moves, idle };
  });
  void Promise.all(leaving.map(({ idle }) => idle)).then(() => server.idle());
  // What is said last leaves at once, and who answers at once is heard; nobody is waited for beyond the time.
  const late = closing.expired.then(() => turns(clock, LAST_TURNS));
  const outcomes = leaving.map(async ({ session, endpoint, wasOver, moves, idle }) => {
    const inTime = await idle;
    if (moves) {
      // The client has all that it sends again, so nothing is lost by what was not in time.
      await Promise.race([journaling?.leave(session), late]);
      sendAway(endpoint, server.retryAfterMs());
      return inTime;
    }
    await endpoint.ending.shut(LEAVING, late);
    if (!inTime) endpoint.ending.giveUp();
    return inTime && (wasOver || isClean(endpoint.end));
  });
  return (await Promise.all(outcomes)).filter((inOrder) => !inOrder).length;
}

/** Takes nothing new, which the client sends again elsewhere, and waits for the handlers; answers whether they were in time. */
function quiet({ machine, ending }: SessionEndpoint, expired: Promise<unknown>): Promise<boolean> {
  const { link } = machine;
  if (link !== undefined) link.deaf = true;
  return ending.quiet(expired);
}

/** The client goes on with the session at another server, which has it from the journal. */
function sendAway(endpoint: SessionEndpoint, retryAfterMs: number): void {
  sendAside(endpoint, retryAfterMs);
  endpoint.abort(
    new ConnectionError("SESSION_MOVED", { op: "session", detail: "the server leaves; the journal has the session" }),
  );
}

/** Whether a session came to its end with everything that this side had sent. */
function isClean(end: SessionEnd | undefined): boolean {
  return end !== undefined && end.error === undefined && end.lost.length === 0 && end.unhandled === 0;
}
