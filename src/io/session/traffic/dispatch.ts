/** Handlers: what the peer asks for, started in the order of the wire. */

import { isForCaller, type RemoteError } from "../../../core/contract/remote-error.ts";
import { ConnectionError, type ProtocolError, type ZocaloError } from "../../../core/errors.ts";
import { DECODED, HELD } from "../../../core/held-bytes.ts";
import { peerError, withoutStack } from "../../../core/peer-error.ts";
import type { CallReceived, Cancelled, EventReceived, StreamOpened } from "../../../core/session/event.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { CALL_HEAD_BYTES, EVENT_HEAD_BYTES, OPEN_HEAD_BYTES } from "../../../core/session/wire/frame-types.ts";
import { ofAnswer, ofHandler, ofQuestion } from "../../contract/error-body.ts";
import { type AnyHandler, isThenable } from "../../contract/handlers.ts";
import type { MethodPlan, ValuePlan } from "../../contract/plan.ts";
import { TurnBudget } from "../../operation/turn-budget.ts";
import { SessionContext } from "./context.ts";
import type { SessionPartOwner } from "./owner.ts";
import { PackedQueue, WITH_ID, WITH_TIME } from "./packed-queue.ts";
import type { SessionStream } from "./stream.ts";
import type { OpenStreams } from "./streams.ts";
import { sendError, WrongMessages } from "./wrong-messages.ts";

const EVENT = 0;
const CALL = 1 | WITH_ID | WITH_TIME;
const OPEN = 2 | WITH_ID;
/** In place of the method of a stream whose directions are not those of its method. No list is so long. */
const MISDIRECTED = 0xffff;

/** Where the question of a stream stands. */
type Question = Pick<StreamOpened, "bytes" | "start" | "end">;

/** A session with its streams. */
export interface DispatchOwner extends SessionPartOwner {
  readonly streams: OpenStreams;
}

/**
 * Starts handlers. Events run one after the other, calls of the order `serial` among them; other calls run beside them, up
 * to a number. All start in the order of the wire, so a message that cannot start yet holds up those behind it; answers,
 * cancels and items of open streams never wait here (docs/semantics.md, rule D9).
 */
export class SessionDispatch {
  readonly #owner: DispatchOwner;
  /** What this side offers, by number. */
  readonly #methods: readonly MethodPlan[];
  #queue: PackedQueue | undefined;
  #turn: TurnBudget | undefined;
  /** The lane is taken by a handler that has not finished. */
  #laneBusy = false;
  /** Calls whose handlers run. */
  #running = 0;
  /** Streams whose handlers run, cancelled ones included. */
  #streaming = 0;
  /** Bodies of the messages whose handlers run. */
  #handledBytes = 0;
  #contexts: Map<number, SessionContext> | undefined;
  /** Calls that were cancelled while they waited, and how often: a peer may use an id again. */
  #cancelled: Map<number, number> | undefined;
  #eventContext: SessionContext | undefined;
  /** Undefined until the first message comes that makes no sense. */
  #wrong: WrongMessages | undefined;

  constructor(owner: DispatchOwner) {
    this.#owner = owner;
    this.#methods = owner.plan.own.methods;
  }

  /** Memory of the messages that wait, and of the values that handlers have. */
  get heldBytes(): number {
    const handlers = this.#running * HELD.handler + this.#handledBytes * DECODED;
    return (this.#queue?.heldBytes ?? 0) + handlers;
  }

  /** Whether no handler runs and none waits. */
  get isIdle(): boolean {
    return this.isLaneFree && this.#running === 0 && this.#streaming === 0;
  }

  /** Whether all events that came are handled. */
  get isLaneFree(): boolean {
    return !this.#laneBusy && !this.#mustQueue;
  }

  /** Handlers of calls that run now. */
  get running(): number {
    return this.#running;
  }

  /** An event came. */
  event(event: EventReceived): void {
    const { method, bytes, start, end } = event;
    if (this.#laneBusy || this.#mustQueue) this.#push(EVENT, method, 0, Infinity, event);
    else this.#startEvent(method, bytes, start, end);
  }

  /** A call came. */
  call(event: CallReceived): void {
    const { method, id, timeoutMs, bytes, start, end } = event;
    const deadline = this.#owner.turnTime() + timeoutMs;
    if (this.#mustQueue || !this.#mayStart(CALL, method)) this.#push(CALL, method, id, deadline, event);
    else this.#startCall(method, id, deadline, bytes, start, end);
  }

  /** A stream was opened; its items may come from now on. */
  open(event: StreamOpened): void {
    const { id } = event;
    const plan = this.#methods[event.method];
    const fits = plan === undefined || fitsDirections(event, plan);
    const method = fits ? event.method : MISDIRECTED;
    const turn = this.#queue?.nextTurn ?? 0;
    const stream = fits && plan?.kind === "stream" ? this.#owner.streams.accept(event, plan, turn) : undefined;
    if (this.#mustQueue || !this.#mayStart(OPEN, method)) this.#push(OPEN, method, id, Infinity, event);
    else this.#startStream(method, stream, id, event);
  }

  /** What the peer asks makes no sense: it is told why. */
  refuse(id: number, cause: unknown): void {
    this.#addWrong(cause);
    sendError(this.#owner, id, ofQuestion(cause));
  }

  /** The value of a body. */
  decode(plan: ValuePlan, bytes: Buffer, start: number, end: number): unknown {
    const value = plan.decode(bytes, start, end);
    this.#wrong?.interrupted();
    return value;
  }

  /** Nobody waits for a call any more. One that has not started stays charged until its turn comes, as it is held so long. */
  cancelled({ id, chargeBytes }: Cancelled): void {
    const context = this.#contexts?.get(id);
    if (context !== undefined) {
      context.cancel(noOneWaits());
      this.#contexts?.delete(id);
      this.#owner.machine.handled(chargeBytes);
    } else if (chargeBytes > 0) {
      this.#cancelled ??= new Map();
      this.#cancelled.set(id, (this.#cancelled.get(id) ?? 0) + 1);
    }
  }

  /** The session is over: nobody waits for the calls any more. Events that came are handled all the same. */
  over(): void {
    const reason = this.#owner.overError("session", "unknown");
    for (const context of this.#contexts?.values() ?? []) context.cancel(reason);
    this.#contexts = undefined;
  }

  /** Gives up the events that are not handled; answers how many have not begun. */
  cut(): number {
    let events = 0;
    for (; this.#queue?.peek() === true; this.#queue.drop()) if (this.#queue.kind === EVENT) events += 1;
    this.#eventContext?.cancel(this.#owner.overError("session", "unknown"));
    return events;
  }

  /** Starts what waits and can start. */
  startWaiting(): void {
    const queue = this.#queue;
    while (queue?.peek() === true) {
      const { kind, method, id, time: deadline, bytes, start, end } = queue;
      if (kind === CALL && this.#wasCancelled(id)) {
        queue.drop();
        this.#owner.machine.handled(CALL_HEAD_BYTES + end - start);
      } else if (kind !== EVENT && this.#owner.end !== undefined) {
        // Its caller was told that the session is over.
        queue.drop();
      } else if (!this.#mayStart(kind, method) || this.#turn?.spend() === false) return;
      else {
        const { turn } = queue;
        queue.drop();
        if (kind === EVENT) this.#startEvent(method, bytes, start, end);
        else if (kind === CALL) this.#startCall(method, id, deadline, bytes, start, end);
        else this.#startStream(method, this.#owner.streams.waiting(id, turn), id, { bytes, start, end });
      }
    }
    this.#cancelled = undefined;
  }

  /** Whether the call that stands first was cancelled. Those with its id that came before it are gone. */
  #wasCancelled(id: number): boolean {
    const times = this.#cancelled?.get(id);
    if (times === undefined) return false;
    if (times > 1) this.#cancelled?.set(id, times - 1);
    else this.#cancelled?.delete(id);
    return true;
  }

  get #mustQueue(): boolean {
    return this.#queue !== undefined && this.#queue.size > 0;
  }

  #mayStart(kind: number, method: number): boolean {
    if (kind === EVENT) return !this.#laneBusy;
    const { machine, settings } = this.#owner;
    // A peer that does not acknowledge answers gets no more of them.
    if (!machine.hasRoom) return false;
    // A peer may cancel and open faster than handlers notice it: as many as may be open, and as many that were cancelled.
    if (kind === OPEN) return this.#streaming < 2 * settings.limits.maxStreams;
    if (this.#running >= settings.maxConcurrentCalls) return false;
    return this.#methods[method]?.serial !== true || !this.#laneBusy;
  }

  #push(kind: number, method: number, id: number, deadline: number, body: BodyPlace): void {
    this.#queue ??= new PackedQueue();
    this.#turn ??= new TurnBudget(this.#owner.settings.clock, () => this.#goOn());
    this.#queue.push(kind, method, id, deadline, body);
  }

  #startEvent(place: number, bytes: Buffer, start: number, end: number): void {
    const owner = this.#owner;
    let answer: unknown;
    let understood = false;
    try {
      const method = this.#methods[place];
      if (method?.kind !== "event") throw unknownMethod(place);
      const message = this.decode(method.request, bytes, start, end);
      understood = true;
      this.#eventContext ??= new SessionContext(owner, Infinity);
      answer = this.#handle(method, message, this.#eventContext);
    } catch (error) {
      if (understood) owner.problem(error);
      else this.#addWrong(error);
    }
    const chargeBytes = EVENT_HEAD_BYTES + end - start;
    if (isThenable(answer)) this.#awaitEvent(answer, chargeBytes);
    else owner.machine.handled(chargeBytes);
  }

  // Methods that make functions are apart from those that run for each message (docs/decisions/0018).
  #awaitEvent(answer: PromiseLike<unknown>, chargeBytes: number): void {
    const owner = this.#owner;
    this.#laneBusy = true;
    this.#handledBytes += chargeBytes;
    const done = (): void => {
      this.#laneBusy = false;
      this.#handledBytes -= chargeBytes;
      owner.machine.handled(chargeBytes);
      this.#goOn();
    };
    // A thenable may throw, or settle twice; a promise does neither.
    Promise.resolve(answer).then(done, (error: unknown) => {
      owner.problem(error);
      done();
    });
  }

  #startCall(place: number, id: number, deadline: number, bytes: Buffer, start: number, end: number): void {
    const owner = this.#owner;
    const method = this.#methods[place];
    if (method?.kind !== "call") {
      this.refuse(id, unknownMethod(place));
      return;
    }
    const context = new SessionContext(owner, deadline);
    let answer: unknown;
    let understood = false;
    try {
      const input = this.decode(method.request, bytes, start, end);
      understood = true;
      answer = this.#handle(method, input, context);
    } catch (error) {
      if (understood) this.#fail(id, error);
      else this.refuse(id, error);
      return;
    }
    if (isThenable(answer)) this.#awaitCall(method, id, context, answer, end - start);
    else this.#respond(method, id, answer);
  }

  #awaitCall(
    method: MethodPlan,
    id: number,
    context: SessionContext,
    answer: PromiseLike<unknown>,
    bytes: number,
  ): void {
    this.#running += 1;
    this.#handledBytes += bytes;
    if (method.serial) this.#laneBusy = true;
    this.#contexts ??= new Map();
    this.#contexts.set(id, context);
    const done = (): void => {
      this.#running -= 1;
      this.#handledBytes -= bytes;
      if (method.serial) this.#laneBusy = false;
      this.#goOn();
    };
    Promise.resolve(answer).then(
      (value) => {
        if (this.#takeContext(id, context)) this.#respond(method, id, value);
        done();
      },
      (error: unknown) => {
        if (this.#takeContext(id, context)) this.#fail(id, error);
        else if (!isForCaller(error)) this.#owner.problem(error);
        done();
      },
    );
  }

  /** Whether a call still waits for its handler: it may be cancelled, and a peer may use its id again at once. */
  #takeContext(id: number, context: SessionContext): boolean {
    return this.#contexts?.get(id) === context && this.#contexts.delete(id);
  }

  #startStream(place: number, stream: SessionStream | undefined, id: number, question: Question): void {
    this.#owner.machine.handled(OPEN_HEAD_BYTES + question.end - question.start);
    const method = this.#methods[place];
    if (method?.kind !== "stream") {
      this.refuse(id, unknownMethod(place));
      return;
    }
    // It was cancelled before it could start.
    if (stream === undefined) return;
    stream.started();
    void this.#runStream(method, stream, question);
  }

  async #runStream(method: MethodPlan, stream: SessionStream, { bytes, start, end }: Question): Promise<void> {
    this.#streaming += 1;
    this.#handledBytes += end - start;
    let toTell = ofQuestion;
    try {
      const input = this.decode(method.request, bytes, start, end);
      toTell = ofHandler;
      const context = new SessionContext(this.#owner, Infinity, stream);
      const items = await this.#handle(method, input, stream, context);
      toTell = ofAnswer;
      await stream.sendAll(items);
    } catch (error) {
      this.#failStream(stream, error, toTell);
    }
    stream.abandoned();
    this.#streaming -= 1;
    this.#handledBytes -= end - start;
    this.#goOn();
  }

  #failStream(stream: SessionStream, error: unknown, toTell: (error: unknown) => RemoteError): void {
    // What a handler throws because its stream is over is no news.
    if (stream.hasFailed) return;
    stream.fail(error);
    if (toTell === ofQuestion) this.refuse(stream.id, error);
    else this.#fail(stream.id, error, toTell(error));
  }

  /** A handler has finished: what waited for it may start. */
  #goOn(): void {
    if (this.#mustQueue) this.startWaiting();
    this.#owner.touch();
  }

  /** Calls the handler of a method. */
  #handle(method: MethodPlan, input: unknown, second: unknown, third?: unknown): unknown {
    const { handlers, handlerList } = this.#owner.settings;
    return (handlerList[method.place] as AnyHandler).call(handlers, input, second, third);
  }

  #respond(method: MethodPlan, id: number, value: unknown): void {
    const owner = this.#owner;
    if (owner.end !== undefined) return;
    try {
      const body = method.response.encode(value);
      owner.machine.respond(id, body, owner.turnTime());
      owner.gathered(body.end - body.start);
    } catch (error) {
      this.#fail(id, error, ofAnswer(error));
    }
  }

  /** Ends a call or a stream of the peer with an error. Only what the application meant for the peer crosses the wire. */
  #fail(id: number, cause: unknown, error: RemoteError = ofHandler(cause)): void {
    if (error !== cause) this.#owner.problem(cause);
    sendError(this.#owner, id, error);
  }

  /** The peer sent what makes no sense, or a schema of ours cannot be used. */
  #addWrong(error: unknown): void {
    this.#wrong ??= new WrongMessages(this.#owner);
    this.#wrong.add(error);
  }
}

/** A stream in a direction that its method does not have would have items that no schema describes. */
function fitsDirections({ peerSends, peerReceives }: StreamOpened, { kind, sends, receives }: MethodPlan): boolean {
  return kind !== "stream" || (peerSends === (receives !== undefined) && peerReceives === (sends !== undefined));
}

function unknownMethod(place: number): ProtocolError {
  const what = place === MISDIRECTED ? "a stream with these directions" : `method ${place}`;
  const detail = `${what} is not offered, or is of another kind; the peer has another version of the contract`;
  return peerError("METHOD_UNKNOWN", { op: "receive", detail });
}

function noOneWaits(): ZocaloError {
  const detail = "the caller has cancelled the call, or its time is up";
  return withoutStack(() => new ConnectionError("CLOSED", { op: "call", detail, side: "remote" }));
}
