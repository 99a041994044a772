/** How a session comes to its end, and what is known about what it carried. */

import { ConnectionError, type ErrorCode, type ErrorOutcome, type ZocaloError } from "../../core/errors.ts";
import type { SessionStateName } from "../../core/session/state.ts";
import type { OperationContext } from "../operation/deadline.ts";
import { errorOf, isOrderlyEnd } from "../operation/peer-problems.ts";

/** A message of this side that did not arrive, or may not have, when the session ended. */
export interface LostMessage {
  /** What it was: `open` opens a stream, `item` and `end` belong to one. */
  readonly kind: "event" | "call" | "result" | "error" | "cancel" | "open" | "item" | "end";
  /** The method, where the message names it: of events, calls and openings of streams. */
  readonly method: string | undefined;
  /** `not-sent`: it cannot have reached the peer. `unknown`: it may have. */
  readonly outcome: "not-sent" | "unknown";
}

/** How a session ended. */
export interface SessionEnd {
  /**
   * `closed`: this side closed it; `ended`: the peer did; `aborted`: this program gave it up; `lost`: it could not go on, because
   * no connection came in time, the other side had forgotten it, or it had to make room; `failed`: a side refused it or broke
   * the rules.
   */
  readonly how: "closed" | "ended" | "aborted" | "lost" | "failed";
  /** What went wrong; undefined when it was closed in order, by either side. */
  readonly error: ZocaloError | undefined;
  /** What the side that closed it said. */
  readonly message: string;
  /**
   * What was not acknowledged, in the order of sending, and behind it the events that waited for room and whose sender has no
   * promise that rejects (docs/semantics.md, rule D1). Events that the peer acknowledged are not here.
   */
  readonly lost: readonly LostMessage[];
  /**
   * Events of the peer that this side had accepted and whose handlers have not begun: it gave the session up (`abort`, or a
   * server that makes room or is closed), the peer has broken the rules, or the handlers before them took longer than
   * `timeouts.finishMs`. 0 otherwise. At a client those of the sessions before the last one are among them.
   */
  readonly unhandled: number;
}

/** Errors with which a session is lost, and a client may have another one. */
const LOSSES: ReadonlySet<ErrorCode> = new Set(["SESSION_LOST", "REPLAY_OVERFLOW"]);

/** The end of a session in which nothing is lost. @param closedHere - Whether this side had closed it. */
export function endOf(error: ZocaloError | undefined, message: string, closedHere: boolean): SessionEnd {
  return { how: howEnded(error, closedHere), error, message, lost: [], unhandled: 0 };
}

function howEnded(error: ZocaloError | undefined, closedHere: boolean): SessionEnd["how"] {
  if (error === undefined) return closedHere ? "closed" : "ended";
  if (error.code === "CONNECTION_ABORTED" && error.side === "local") return "aborted";
  return LOSSES.has(error.code) ? "lost" : "failed";
}

/** The error of a session that this program gives up. */
export function abortError(cause: unknown): ConnectionError {
  return new ConnectionError("CONNECTION_ABORTED", {
    op: "session",
    detail: "this program aborted the session",
    cause,
  });
}

/**
 * What a session does: `open`: it has a connection. `detached`: it waits for one, or a client for its next session. `leaving`:
 * a side has said that it goes, or it is over and what it has accepted is still being handled.
 */
export type SessionStatus = "open" | "detached" | "leaving" | "closed";

/** How a client comes back after its connection was lost. */
export interface Reconnection {
  /** `waiting`: for the next attempt. `connecting`: an attempt is under way. */
  readonly phase: "waiting" | "connecting";
  /** The number of the attempt that is next or under way; 1 for the first of this outage. */
  readonly attempt: number;
  /** How long until it begins, in milliseconds; 0 while it is under way. */
  readonly nextAttemptInMs: number;
  /** Why the attempt before failed; undefined before the first one. */
  readonly lastError: unknown;
}

/** What a session does, by the state of its machine. */
export function statusOf(state: SessionStateName): SessionStatus {
  if (state === "ended") return "closed";
  if (state === "closing") return "leaving";
  return state === "attached" ? "open" : state;
}

/**
 * Why a client has a new session instead of the one before. From the server: the session had no connection for longer than it is
 * kept (`expired`), had to make room for others (`evicted`), the program of the server gave it up, or its journal takes no record of it (`aborted`), the server is another
 * process (`server-restarted`), what was agreed on has changed (`agreement-changed`), the counters do not fit (`counters-invalid`), the
 * log of its journal has lost what the client has to hear (`place-unknown`), or it knows nothing of the session, also because it is gone for long (`session-unknown`). From the client: no connection came in the time that
 * the server keeps a session (`expired`), another server of its list has answered (`other-server`), the server has left in order
 * (`server-left`), or it took no messages for `resume.maxReplayAgeMs` (`replay-overflow`).
 */
export type FreshReason =
  | "session-unknown"
  | "server-restarted"
  | "agreement-changed"
  | "counters-invalid"
  | "place-unknown"
  | "expired"
  | "evicted"
  | "aborted"
  | "other-server"
  | "replay-overflow"
  | "server-left";

/** Why another session follows one that has ended so. */
export function reasonBehind({ how, error }: SessionEnd): FreshReason {
  if (how !== "lost") return "server-left";
  return error?.code === "REPLAY_OVERFLOW" ? "replay-overflow" : "expired";
}

/** A session went on over another connection. */
export interface ResumedReport {
  /** Messages of this side that are sent again because the peer had not got them. */
  readonly replayed: number;
}

/** A client has a session that has just begun: the server knows nothing of this client yet. */
export interface ReadyReport {
  /** Why it begins: it is the `first` one, or the session before could not go on. */
  readonly reason: "first" | FreshReason;
  /** Messages of this side that were not acknowledged in the session before. */
  readonly lost: readonly LostMessage[];
}

/** Why a call is not made that does not want to wait. */
export function awayError(context: OperationContext, why?: string): ConnectionError {
  const detail =
    why && `the session is not ready (${why}), and nothing was sent; try again later, or let the call wait (whileAway)`;
  return new ConnectionError("SESSION_AWAY", { ...context, detail, outcome: "none" });
}

/**
 * Why nothing can be sent any more in a session that has ended so, or is about to, or whose peer leaves (undefined), or behind
 * which another one follows (`followed`).
 */
export function overError(
  end: SessionEnd | "followed" | undefined,
  context: OperationContext,
  outcome: ErrorOutcome,
): ZocaloError {
  if (end === "followed") {
    const detail = "there is no session now, and the client makes another one; try again in onReady";
    return new ConnectionError("SESSION_LOST", { ...context, detail, side: "system", outcome });
  }
  const error = end?.error;
  if (error !== undefined) {
    const { code, detail, side } = error;
    return new ConnectionError(code, { ...context, detail, side, outcome, cause: error });
  }
  if (end === undefined) {
    const detail = "the peer is leaving and takes nothing new";
    return new ConnectionError("SESSION_LOST", { ...context, detail, side: "remote", outcome });
  }
  const why = end.message === "closed" ? "" : ` (${end.message})`;
  const detail = `${end.how === "ended" ? "the other side" : "this side"} has closed the session${why}`;
  return new ConnectionError("CLOSED", { ...context, detail, outcome });
}

/** Whether an error says only that its session is closed, by either side, or that the peer leaves: see `overError`. */
export function saysThatItCloses(
  error: unknown,
  session: {
    readonly end: SessionEnd | undefined;
    readonly status: SessionStatus;
    context(op: string): OperationContext;
  },
  draining?: AbortSignal,
): boolean {
  const place = session.context("session");
  if (isOrderlyEnd(error, place, draining)) return true;
  const own = errorOf(error, place);
  // Something could not be sent any more. What was given up is news.
  if (own?.code !== "SESSION_LOST" || own.outcome !== "none" || session.end?.error !== undefined) return false;
  return session.status === "leaving" || session.status === "closed" || own.side === "remote";
}

/** A call or stream that is lost. */
export interface LostRequest {
  readonly id: number;
  readonly outcome: "not-sent" | "unknown";
}
