/** How a server leaves its sessions when it is closed: they end; or, with a journal, another server goes on with them. */

import { ConnectionError } from "../../../core/errors.ts";
import { type RulesOf, wholeNumber } from "../../../core/options/check-options.ts";
import { CLOSE_SERVER_RULES, DEFAULT_CLOSE_MS, type GracefulClose } from "../../operation/graceful-close.ts";
import type { Clock, Timer } from "../../network/network.ts";
import { turns } from "../../stream/linger.ts";
import type { SessionEnd } from "../end.ts";
import type { SessionEndpoint } from "../endpoint/endpoint.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import type { SessionJournaling } from "./journaling.ts";
import type { CloseSessionsOptions } from "./public.ts";
import { sendAside, SPREAD_MS_PER_SESSION } from "./stall.ts";

/** What a client can be told to wait at most: the field of the GOAWAY has 32 bits, and its largest number means never. */
const LONGEST_SPREAD_MS = 0xffff_fffe;
/** What the options of a server's `close` must look like. */
export const CLOSE_SESSIONS_RULES: RulesOf<CloseSessionsOptions> = {
  ...CLOSE_SERVER_RULES,
  reconnectSpreadMs: wholeNumber(0, LONGEST_SPREAD_MS),
};
/** A session leaves after the one before it when a server that has just started has taken that over, on a small machine under load. */
const TURN_MS = 5;
/** Turns take no more than this part of the time of `close`. */
const TURNS_PART = 0.5;
/** What clients are told. */
export const LEAVING = "the server is leaving";
/** Turns of the event loop in which the last words leave: enough for answers that are here already. */
const LAST_TURNS = 8;

/** The server that leaves. */
interface LeavingServer {
  readonly clock: Clock;
  readonly closing: Pick<GracefulClose<unknown>, "expired" | "isExpired">;
  readonly journaling: SessionJournaling | undefined;
  /** Over so long those sessions leave with which another server goes on. */
  readonly turnsMs: number;
  /** When the next client is to come back, of those that leave together. */
  retryAfterMs(): number;
  /** Nothing is under way any more. */
  idle(): void;
}

/** Over how long so many sessions leave, one after the other: never faster than clients come back that are sent away together. */
export function turnsMsOf(sessions: number, { timeoutMs = DEFAULT_CLOSE_MS }: CloseSessionsOptions): number {
  return Math.max(sessions * SPREAD_MS_PER_SESSION, Math.min(sessions * TURN_MS, timeoutMs * TURNS_PART));
}

/** Leaves sessions; answers in how many of them something was cut. */
export async function leaveSessions(sessions: readonly SessionFacade[], server: LeavingServer): Promise<number> {
  const { clock, closing, journaling } = server;
  // One for all: an error costs more than what is done with it.
  const moved = new ConnectionError("SESSION_MOVED", {
    op: "session",
    detail: "the server leaves; the journal has the session",
  });
  const turn = turnsOf(server, server.turnsMs / sessions.length);
  const leaving = sessions.map((session) => {
    const { endpoint } = partsOf(session);
    const wasOver = endpoint.end !== undefined;
    const moves = !wasOver && endpoint.terms.machine.journaled === true;
    const idle = moves
      ? turn(endpoint).then(() => quiet(endpoint, closing.expired))
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
      // Those whose turn did not come in time come back in turns themselves.
      sendAside(endpoint, closing.isExpired ? server.retryAfterMs() : 0);
      endpoint.abort(moved);
      return inTime;
    }
    await endpoint.ending.shut(LEAVING, late);
    if (!inTime) endpoint.ending.giveUp();
    return inTime && (wasOver || isClean(endpoint.end));
  });
  return (await Promise.all(outcomes)).filter((inOrder) => !inOrder).length;
}

/**
 * Sessions that another server goes on with leave one after the other: until its turn each is served here, and then the next server has
 * time for it. Resolves when it is the turn of a session, or the time is over.
 */
function turnsOf({ clock, closing }: LeavingServer, eachMs: number): (endpoint: SessionEndpoint) => Promise<void> {
  let turn = 0;
  return async ({ connection }) => {
    const waitMs = turn * eachMs;
    // Who has no client is written, and that is all.
    if (connection === undefined || closing.isExpired) return;
    turn += 1;
    let timer: Timer | undefined;
    const come = new Promise<void>((resolve) => {
      timer = clock.setTimer(resolve, waitMs);
    });
    await Promise.race([come, closing.expired]);
    timer?.cancel();
  };
}

/** Takes nothing new, which the client sends again elsewhere, and waits for the handlers; answers whether they were in time. */
function quiet({ machine, ending }: SessionEndpoint, expired: Promise<unknown>): Promise<boolean> {
  const { link } = machine;
  if (link !== undefined) link.deaf = true;
  return ending.quiet(expired);
}

/** Whether a session came to its end with everything that this side had sent. */
function isClean(end: SessionEnd | undefined): boolean {
  return end !== undefined && end.error === undefined && end.lost.length === 0 && end.unhandled === 0;
}
