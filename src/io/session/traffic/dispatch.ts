/** What the peer asks for, in the order of the wire: it is handled at once, or waits until its handler may start. */

import type { CallReceived, Cancelled, EventReceived, StreamOpened } from "../../../core/session/event.ts";
import { HELD } from "../../../core/held-bytes.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { VOLATILE_PLACE } from "../../../core/session/shared-lane.ts";
import { CALL_HEAD_BYTES } from "../../../core/session/wire/frame-types.ts";
import { PLACE_BITS } from "../../contract/metadata.ts";
import type { MethodPlan } from "../../contract/plan.ts";
import { TurnBudget } from "../../operation/turn-budget.ts";
import { MISDIRECTED, type SessionAnswers } from "./answers.ts";
import { type HandlersOwner, SessionHandlers } from "./handlers.ts";
import type { SessionPartOwner } from "./owner.ts";
import { PackedQueue, WITH_ID, WITH_NUMBER, WITH_TIME } from "./packed-queue.ts";
import type { OpenStreams } from "./streams.ts";

const EVENT = 0 | WITH_NUMBER;
const CALL = 1 | WITH_NUMBER | WITH_ID | WITH_TIME;
const OPEN = 2 | WITH_NUMBER | WITH_ID;

/** Events that may be lost wait for a handler up to so many bytes, as they are held; then the newest are dropped. */
const MAX_VOLATILE_BYTES = 65_536;

/** What came, with the number of its message. */
type Numbered = BodyPlace & { readonly number: number };

/** A session with its streams. */
export interface DispatchOwner extends SessionPartOwner {
  readonly streams: OpenStreams;
}

/**
 * Starts handlers. Events run one after the other, calls of the order `serial` among them; other calls run beside them, up
 * to a number. All start in the order of the wire, so a message that cannot start yet holds up those behind it; answers,
 * cancels and items of open streams never wait here (docs/semantics.md, rule D9).
 */
export class SessionDispatch implements HandlersOwner {
  readonly handlers: SessionHandlers;
  readonly #owner: DispatchOwner;
  /** What this side offers, by number. */
  readonly #methods: readonly MethodPlan[];
  #queue: PackedQueue | undefined;
  #turn: TurnBudget | undefined;
  /** Of events that may be lost and wait. */
  #volatileBytes = 0;
  /** Calls that were cancelled while they waited, and how often: a peer may use an id again. */
  #cancelled: Map<number, number> | undefined;

  constructor(owner: DispatchOwner, answers: SessionAnswers) {
    this.#owner = owner;
    this.handlers = new SessionHandlers(owner, answers, this);
    this.#methods = owner.plan.own.methods;
  }

  /** Memory of the messages that wait, and of the values that handlers have. */
  get heldBytes(): number {
    return (this.#queue?.heldBytes ?? 0) + this.handlers.heldBytes;
  }

  /** Messages that wait for a handler. */
  get waiting(): number {
    return this.#queue?.size ?? 0;
  }

  /** Whether no handler runs and none waits. */
  get isIdle(): boolean {
    const { running, streaming } = this.handlers;
    return this.isLaneFree && running === 0 && streaming === 0;
  }

  /** Whether all events that came are handled. */
  get isLaneFree(): boolean {
    return !this.handlers.laneBusy && !this.#mustQueue;
  }

  /** What comes starts in the next turn: the program goes on first with what it awaits. */
  wait(): void {
    this.#turnOf().end();
  }

  /** An event came. */
  event(event: EventReceived): void {
    if (this.handlers.laneBusy || this.#mustQueue) this.#queueEvent(event);
    else this.handlers.event(event.number, event.method, event.bytes, event.start, event.end);
  }
  #queueEvent(event: EventReceived): void {
    const { number, method, start, end } = event;
    if (number !== VOLATILE_PLACE || this.#hasRoomFor(end - start)) this.#push(EVENT, method, 0, Infinity, event);
  }

  /** A call came. */
  call(event: CallReceived): void {
    const { number, method, id, timeoutMs, bytes, start, end } = event;
    const deadline = this.#owner.turnTime() + timeoutMs;
    if (this.#mustQueue || !this.#mayStart(CALL, method)) this.#push(CALL, method, id, deadline, event);
    else this.handlers.call(number, method, id, deadline, bytes, start, end);
  }

  /** A stream was opened; its items may come from now on. */
  open(event: StreamOpened): void {
    const { id } = event;
    const plan = this.#methods[event.method & PLACE_BITS];
    const fits = plan === undefined || fitsDirections(event, plan);
    const method = fits ? event.method : MISDIRECTED;
    const turn = this.#queue?.nextTurn ?? 0;
    const stream = fits && plan?.kind === "stream" ? this.#owner.streams.accept(event, plan, turn) : undefined;
    if (this.#mustQueue || !this.#mayStart(OPEN, method)) this.#push(OPEN, method, id, Infinity, event);
    else this.handlers.stream(method, stream, id, event);
  }

  /** Nobody waits for a call any more. One that has not started stays charged until its turn comes, as it is held so long. */
  cancelled({ id, chargeBytes }: Cancelled): void {
    if (this.handlers.cancel(id)) this.#owner.machine.freed(chargeBytes);
    else if (chargeBytes > 0) {
      this.#cancelled ??= new Map();
      this.#cancelled.set(id, (this.#cancelled.get(id) ?? 0) + 1);
    }
  }

  /** Gives up the events that are not handled; answers how many have not begun. */
  cut(): number {
    let events = 0;
    for (; this.#queue?.peek() === true; this.#queue.drop())
      if (this.#queue.kind === EVENT && this.#queue.number !== VOLATILE_PLACE) events += 1;
    this.handlers.cut();
    return events;
  }

  /** Starts what waits and can start. */
  startWaiting(): void {
    const queue = this.#queue;
    while (queue?.peek() === true) {
      const { kind, method, number, id, time: deadline, bytes, start, end } = queue;
      if (kind === CALL && this.#wasCancelled(id)) {
        queue.drop();
        this.#owner.machine.freed(CALL_HEAD_BYTES + end - start);
      } else if (kind !== EVENT && this.#owner.end !== undefined) {
        // Its caller was told that the session is over.
        queue.drop();
      } else if (!this.#mayStart(kind, method) || this.#turn?.spend() === false) return;
      else {
        const { turn } = queue;
        queue.drop();
        if (kind === EVENT && number === VOLATILE_PLACE) this.#volatileBytes -= HELD.foreignCall + end - start;
        if (kind === EVENT) this.handlers.event(number, method, bytes, start, end);
        else if (kind === CALL) this.handlers.call(number, method, id, deadline, bytes, start, end);
        else this.handlers.stream(method, this.#owner.streams.waiting(id, turn), id, { number, bytes, start, end });
      }
    }
    this.#cancelled = undefined;
  }

  goOn(): void {
    if (this.#mustQueue) this.startWaiting();
    this.#owner.touch();
  }

  /** Whether the call that stands first was cancelled. Those with its id that came before it are gone. */
  #wasCancelled(id: number): boolean {
    const times = this.#cancelled?.get(id);
    if (times === undefined) return false;
    if (times > 1) this.#cancelled?.set(id, times - 1);
    else this.#cancelled?.delete(id);
    return true;
  }

  /** Whether another event that may be lost may wait; it is counted then. */
  #hasRoomFor(bytes: number): boolean {
    if (this.#volatileBytes >= MAX_VOLATILE_BYTES) return false;
    this.#volatileBytes += HELD.foreignCall + bytes;
    return true;
  }

  get #mustQueue(): boolean {
    return (
      this.#turn?.isOver === true || this.handlers.isBeginning || (this.#queue !== undefined && this.#queue.size > 0)
    );
  }

  #mayStart(kind: number, method: number): boolean {
    if (this.handlers.isBeginning) return false;
    if (kind === EVENT) return !this.handlers.laneBusy;
    const { machine, settings } = this.#owner;
    // A peer that does not acknowledge answers gets no more of them.
    if (!machine.hasRoom) return false;
    // A peer may cancel and open faster than handlers notice it: as many as may be open, and as many that were cancelled.
    if (kind === OPEN) return this.handlers.streaming < 2 * settings.limits.maxStreams;
    if (this.handlers.running >= settings.maxConcurrentCalls) return false;
    return this.#methods[method & PLACE_BITS]?.serial !== true || !this.handlers.laneBusy;
  }

  #push(kind: number, method: number, id: number, deadline: number, message: Numbered): void {
    this.#queue ??= new PackedQueue();
    this.#turnOf();
    this.#queue.push(kind, method, id, deadline, message, message.number);
  }

  #turnOf(): TurnBudget {
    return (this.#turn ??= new TurnBudget(this.#owner.settings.clock, () => this.goOn()));
  }
}

/** A stream in a direction that its method does not have would have items that no schema describes. */
function fitsDirections({ peerSends, peerReceives }: StreamOpened, { kind, sends, receives }: MethodPlan): boolean {
  return kind !== "stream" || (peerSends === (receives !== undefined) && peerReceives === (sends !== undefined));
}
