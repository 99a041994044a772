/** What a session tells. */

import type { ZocaloError } from "../errors.ts";

/** A body inside the bytes that came: `bytes[start, end)`, valid until the next event is asked for. */
interface Body {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** An event of the peer. Tell the session with `eventHandled(chargeBytes)` when it was handled; events are handled in order. */
export interface EventReceived extends Body {
  readonly type: "event";
  /** The number of its message; for one of the server's log its place, below 0; 0 for one that may be lost. */
  readonly number: number;
  /** Its place in the list of what this side offers. */
  readonly method: number;
  readonly chargeBytes: number;
}

/** A call of the peer. Answer with `respond` or `fail`, which also says that its bytes are free. */
export interface CallReceived extends Body {
  readonly type: "call";
  /** The number of its message. */
  readonly number: number;
  readonly id: number;
  readonly method: number;
  readonly chargeBytes: number;
  /** Time that is left for the answer; Infinity for no deadline. When it is up, `cancelled` comes. */
  readonly timeoutMs: number;
}

/** The peer opens a stream: `handled(chargeBytes)` when this was looked at. Send items, `endStream`, `fail`, or `cancel`. */
export interface StreamOpened extends Body {
  readonly type: "open";
  /** The number of its message. */
  readonly number: number;
  readonly id: number;
  readonly method: number;
  readonly chargeBytes: number;
  /** Whether the peer sends items, and whether it receives them. */
  readonly peerSends: boolean;
  readonly peerReceives: boolean;
}

/** An item of a stream. Tell the session with `itemHandled(id, chargeBytes)` when it was handled. */
export interface ItemReceived extends Body {
  readonly type: "item";
  readonly id: number;
  readonly chargeBytes: number;
}

/** The answer to a call of this side, or an error that ends a call or a stream. */
export interface AnswerReceived extends Body {
  readonly type: "result" | "error";
  readonly id: number;
}

/** Nobody waits any more for a call or a stream of the peer. Tell with `handled(chargeBytes)` when nothing is kept of it. */
export interface Cancelled {
  readonly type: "cancelled";
  readonly id: number;
  /** 0 for a stream. */
  readonly chargeBytes: number;
}

/** Something about one call or stream. */
export interface IdEvent {
  /**
   * `itemsEnded`: the peer sends no more items. `streamWritable`: a stream that had no credit has some.
   */
  readonly type: "itemsEnded" | "streamWritable";
  readonly id: number;
}

/** A call of this side was not answered in its time. */
export interface TimedOut {
  readonly type: "timedOut";
  readonly id: number;
  /** `not-sent`: no connection has taken it, and it is never started. */
  readonly outcome: Lost["outcome"];
}

/** Something about the session. */
export interface PlainEvent {
  /**
   * `writable`: a call, event or stream that was not taken for lack of room may be tried again. `confirmed`: the peer has
   * the welcome of this connection; the token before it is of no use any more. `unresponsive`: nothing was heard from the
   * peer for too long: abort the connection, then call `detach`. `moved`: another process goes on with the session: give up the
   * open streams, which do not move.
   */
  readonly type: "writable" | "confirmed" | "unresponsive" | "moved";
}

/** A connection was attached. */
export interface Attached {
  readonly type: "attached";
  /** Whether it continues an earlier one. */
  readonly resumed: boolean;
  /** Messages that are sent again, because the peer has not got them. */
  readonly replayed: number;
}

/** The peer is about to leave. */
export interface GoAwayReceived {
  readonly type: "goAway";
  /** Whether the session can be continued on another connection. */
  readonly survives: boolean;
  /** When to connect again. */
  readonly retryAfterMs: number;
}

/** A message, call or stream that may not have done its work because the session is lost. */
export interface Lost {
  readonly type: "lost";
  readonly kind: "event" | "call" | "result" | "error" | "cancel" | "open" | "item" | "end";
  /** The call or stream; 0 for an event. */
  readonly id: number;
  /** The place of the method in the list of what the peer offers; -1 where the message does not name it. */
  readonly method: number;
  /** `not-sent`: it cannot have reached the peer. `unknown`: it may have. */
  readonly outcome: "not-sent" | "unknown";
  /** The body of a call or an event that was not sent: it may be sent in another session. Valid until the next event is asked for. */
  readonly body?: Body | undefined;
}

/** The session is over. Nothing follows. */
export interface Ended {
  readonly type: "ended";
  /** Undefined when it was closed in order, by either side. */
  readonly error: ZocaloError | undefined;
  /** What the side that closed it said. */
  readonly message: string;
}

/** What a session tells, in order. */
export type SessionEvent =
  | EventReceived
  | CallReceived
  | StreamOpened
  | ItemReceived
  | AnswerReceived
  | Cancelled
  | IdEvent
  | TimedOut
  | PlainEvent
  | Attached
  | GoAwayReceived
  | Lost
  | Ended;

/**
 * Events are told through objects that all sessions use again and again: what a session tells is valid until any session is
 * asked for the next.
 */
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Kind<K extends SessionEvent["type"]> = Mutable<Extract<SessionEvent, { readonly type: K }>>;

const NO_BYTES: Buffer = Buffer.alloc(0);
export const eventTold: Kind<"event"> = {
  type: "event",
  bytes: NO_BYTES,
  start: 0,
  end: 0,
  number: 0,
  method: 0,
  chargeBytes: 0,
};
export const callTold: Kind<"call"> = {
  type: "call",
  bytes: NO_BYTES,
  start: 0,
  end: 0,
  number: 0,
  id: 0,
  method: 0,
  chargeBytes: 0,
  timeoutMs: 0,
};
export const itemTold: Kind<"item"> = { type: "item", bytes: NO_BYTES, start: 0, end: 0, id: 0, chargeBytes: 0 };
export const answerTold: Kind<"result" | "error"> = { type: "result", bytes: NO_BYTES, start: 0, end: 0, id: 0 };

/**
 * Events in the order in which they happened. At the end of a session there is one for each message that is lost, and the bounds
 * of these are options: they may be more than a call takes as arguments, or than an array moves down one by one.
 */
export class ToldEvents {
  readonly #events: SessionEvent[] = [];
  /** So many of them are taken. */
  #taken = 0;

  /** Whether all are taken. */
  get isEmpty(): boolean {
    return this.#taken === this.#events.length;
  }

  add(event: SessionEvent): void {
    this.#events.push(event);
  }

  /** The oldest event that was not taken. */
  take(): SessionEvent | undefined {
    const event = this.#events[this.#taken];
    if (event !== undefined) this.#taken += 1;
    return event;
  }
}
