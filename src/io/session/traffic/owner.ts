/** What a session needs of its owner, and its parts of theirs: the session. */

import type { ErrorOutcome, ZocaloError } from "../../../core/errors.ts";
import type { Session } from "../../../core/session/session.ts";
import type { OperationContext } from "../../operation/deadline.ts";
import type { SessionEnd } from "../end.ts";
import type { SessionGap, SessionGate } from "../gap.ts";
import type { SessionTerms } from "../terms.ts";
import type { CodecPlan, MethodPlan, ValuePlan } from "../../contract/plan.ts";
import type { EndpointSettings } from "../settings.ts";

/** The session that owns its calls, events, streams and handlers. */
export interface SessionPartOwner {
  /** The name of the session. */
  readonly id: string;
  readonly settings: EndpointSettings;
  readonly machine: Session;
  readonly terms: SessionTerms;
  readonly plan: CodecPlan;
  /** The object of the program. */
  readonly session: object | undefined;
  /** The server that it belongs to; undefined at a client. */
  readonly server: object | undefined;
  /** Reads a body; tells the peer why something that it asked makes no sense. */
  readonly answers: {
    decode(plan: ValuePlan, bytes: Buffer, start: number, end: number): unknown;
    refuse(id: number, cause: unknown): void;
  };
  /** How it ended; undefined while it has not. */
  readonly end: SessionEnd | undefined;
  /** Where what it is asked for waits for the next session of its client; undefined when none follows, or it is not over. */
  readonly gap: SessionGap | undefined;
  /** Undefined when it is ready, as it is nearly always. */
  readonly gate: SessionGate | undefined;
  /** The time, read now. */
  now(): number;
  /** The time, as read in this turn: messages of one turn have one time. */
  turnTime(): number;
  /** The place of a method in the peer's list. @throws ProtocolError `METHOD_UNKNOWN`. */
  placeOf(method: MethodPlan): number;
  /** Names the last connection in an error of an operation. */
  context(op: string): OperationContext;
  /** Why nothing can be sent any more. */
  overError(op: string, outcome: ErrorOutcome): ZocaloError;
  /** Messages were given to the machine: they leave at the end of this turn, or now if they are many. */
  gathered(bytes: number): void;
  /** The machine has changed: its events, output and deadline are looked at at the end of this turn. */
  touch(): void;
  /** Memory that the session holds for messages. */
  readonly heldBytes: number;
  /** An event was not sent, and nobody awaits it. */
  unsent(method: string): void;
  /** Something failed that nobody awaits. */
  problem(error: unknown): void;
}

/** Whether a session may hold so many bytes more of what this side sends. */
export function mayHold(
  { heldBytes, settings }: Pick<SessionPartOwner, "heldBytes" | "settings">,
  bytes: number,
): boolean {
  return heldBytes + bytes <= settings.maxHeldBytesPerSession;
}

/** What became of a message, in the words of the errors. */
export function outcomeOf(outcome: "not-sent" | "unknown"): ErrorOutcome {
  return outcome === "not-sent" ? "none" : "unknown";
}

/** What a session needs of its owner, the server or the client that it belongs to: to be told what happens. */
export interface SessionOwner<Endpoint> {
  /** A connection was attached. */
  attached(endpoint: Endpoint, resumed: boolean, replayed: number): void;
  /** The peer has the welcome of this connection. */
  confirmed(endpoint: Endpoint): void;
  /** The connection is lost or given up; the session is not. */
  detached(endpoint: Endpoint): void;
  /** The machine of a session with a journal was looked at: there may be something to keep. */
  pumped?(endpoint: Endpoint): void;
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
