/** What the messages of one session need: its handlers, calls, events and streams. */

import type { EventReceived, Lost, SessionEvent } from "../../../core/session/event.ts";
import { SessionAnswers } from "./answers.ts";
import { SessionCalls } from "./calls.ts";
import { type DispatchOwner, SessionDispatch } from "./dispatch.ts";
import { SessionEvents } from "./events.ts";
import type { SessionHandlers } from "./handlers.ts";
import type { LostRequest } from "../end.ts";
import type { SessionGap } from "../gap.ts";
import { OpenStreams } from "./streams.ts";
import { WaitingRequests } from "./waiting-requests.ts";

/** What a session tells about itself, not about one of its messages. */
export type AboutSession = Extract<
  SessionEvent,
  { readonly type: "confirmed" | "unresponsive" | "attached" | "goAway" | "lost" | "ended" }
>;

/** What is under way in a session. */
export interface TrafficUnderWay {
  /** Calls of this side that wait for their answers, by their ids. */
  readonly calls: SessionCalls["pending"];
  /** Calls of the peer whose handlers run, by their ids. */
  readonly running: SessionHandlers["contexts"];
  /** Messages of the peer that wait for a handler. */
  readonly waitingMessages: number;
  /** Calls and streams of this side that wait for room. */
  readonly waitingRequests: number;
  /** Memory of it, in bytes. */
  readonly heldBytes: number;
}

const NONE: ReadonlyMap<number, never> = new Map<number, never>();

/** The parts of one session that has messages; each is made when it is first needed (docs/decisions/0022). */
export class SessionTraffic {
  readonly #owner: DispatchOwner;
  #answers: SessionAnswers | undefined;
  #calls: SessionCalls | undefined;
  #dispatch: SessionDispatch | undefined;
  #events: SessionEvents | undefined;
  #requests: WaitingRequests | undefined;
  #streams: OpenStreams | undefined;
  /** Something that the program may await was settled in this turn. */
  #hasSettled = false;

  constructor(owner: DispatchOwner) {
    this.#owner = owner;
  }

  get answers(): SessionAnswers {
    return (this.#answers ??= new SessionAnswers(this.#owner));
  }
  get calls(): SessionCalls {
    return (this.#calls ??= new SessionCalls(this.#owner, this.requests));
  }
  get dispatch(): SessionDispatch {
    return (this.#dispatch ??= new SessionDispatch(this.#owner, this.answers));
  }
  get events(): SessionEvents {
    return (this.#events ??= new SessionEvents(this.#owner));
  }
  get requests(): WaitingRequests {
    return (this.#requests ??= new WaitingRequests(this.#owner, this.events));
  }
  /** Streams of both sides. */
  get streams(): OpenStreams {
    return (this.#streams ??= new OpenStreams(this.#owner, this.requests));
  }

  /** Handlers of calls that run now, and events that were dropped. */
  get counts(): { readonly runningCalls: number; readonly droppedEvents: number } {
    return { runningCalls: this.#dispatch?.handlers.running ?? 0, droppedEvents: this.#events?.dropped ?? 0 };
  }

  /** What is under way, for whoever looks; a part that was not needed yet is not made. */
  get underWay(): TrafficUnderWay {
    return {
      calls: this.#calls?.pending ?? NONE,
      running: this.#dispatch?.handlers.contexts ?? NONE,
      waitingMessages: this.#dispatch?.waiting ?? 0,
      waitingRequests: this.#requests?.size ?? 0,
      heldBytes: this.heldBytes,
    };
  }

  /** Memory of what waits here. */
  get heldBytes(): number {
    const requests = (this.#requests?.heldBytes ?? 0) + (this.#calls?.heldBytes ?? 0) + (this.#streams?.heldBytes ?? 0);
    return requests + (this.#events?.heldBytes ?? 0) + (this.#dispatch?.heldBytes ?? 0);
  }

  /** When something that waits is to be given up; Infinity for never. */
  get nextDeadline(): number {
    return Math.min(this.#requests?.nextDeadline ?? Infinity, this.#events?.nextDeadline ?? Infinity);
  }

  /** Whether an event waits for room, or a call or stream. */
  get eventsWait(): boolean {
    return this.#events?.isEmpty === false;
  }
  get requestsWait(): boolean {
    return this.#requests?.isEmpty === false;
  }

  /** Whether no handler runs or waits; whether none of an event does. */
  get isIdle(): boolean {
    return this.#dispatch?.isIdle !== false;
  }
  get isLaneFree(): boolean {
    return this.#dispatch?.isLaneFree !== false;
  }

  /** An event came: most of what comes, so it gets here without a detour. */
  event(event: EventReceived): void {
    this.#starter().event(event);
  }

  /** Takes what the session tells about another message. */
  on(event: Exclude<SessionEvent, AboutSession>): void {
    switch (event.type) {
      case "call":
        this.#starter().call(event);
        break;
      case "open":
        this.#starter().open(event);
        break;
      case "item":
        this.settled();
        this.#streams?.item(event);
        break;
      case "result":
        this.settled();
        this.#calls?.answered(event);
        break;
      case "error":
        this.settled();
        if (this.#calls?.rejected(event) !== true) this.#streams?.rejected(event);
        break;
      case "timedOut":
        this.#calls?.timedOut(event.id, event.outcome);
        break;
      case "cancelled":
        this.#dispatch?.cancelled(event);
        this.#streams?.cancelled(event.id);
        break;
      case "itemsEnded":
        this.settled();
        this.#streams?.itemsEnded(event.id);
        break;
      case "moved":
        this.#streams?.moved();
        break;
      case "streamWritable":
        this.#streams?.writable(event.id);
        break;
      case "writable":
        this.#events?.writable();
        if (!this.eventsWait) this.#requests?.writable();
        break;
      default:
    }
  }

  /** The program may await the end of a call, an item, or the session itself: that goes on before handlers of what is behind it. */
  settled(): void {
    this.#hasSettled = true;
    this.#owner.touch();
  }

  /** The code that settled something has finished. What awaits it goes on before more comes. */
  turnEnded(): void {
    this.#hasSettled = false;
  }

  /** What starts handlers: in the next turn, when something was settled in this one (docs/semantics.md, rule D9). */
  #starter(): SessionDispatch {
    const dispatch = this.#dispatch ?? this.dispatch;
    if (this.#hasSettled) dispatch.wait();
    return dispatch;
  }

  /** A message was not sent: answers whether it waits for another session. */
  carry({ kind, id, method, body }: Lost, gap: SessionGap): boolean {
    if (body === undefined) return false;
    if (kind === "call") return this.#calls?.carry(id, body, gap) === true;
    return this.events.carry(method, body, undefined, gap);
  }

  /** Calls and streams are lost. */
  lost(requests: readonly LostRequest[]): void {
    for (const { id, outcome } of requests) {
      if (this.#calls?.lost(id, outcome) !== true) this.#streams?.lost(id, outcome);
    }
  }

  /** Starts what waits and can start. */
  startWaiting(): void {
    this.#dispatch?.startWaiting();
  }

  /** Gives up what has waited for room until its time was up. */
  expire(now: number): void {
    this.#requests?.expire(now);
    this.#events?.expire(now);
  }

  /** The peer takes nothing new: what waits for room is not sent. */
  refuse(): void {
    this.#events?.over();
    this.#requests?.over();
  }

  /** This side ends the calls and streams that are under way. */
  stop(): void {
    this.#requests?.over();
    this.#calls?.over();
    this.#streams?.over();
  }

  /** The session is over. Events that came are handled all the same. */
  over(): void {
    this.#events?.over();
    this.stop();
    this.#dispatch?.handlers.over();
  }

  /** Gives up the events that are not handled; answers how many have not begun. */
  cut(): number {
    return this.#dispatch?.cut() ?? 0;
  }
}
