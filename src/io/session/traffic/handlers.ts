/** Handlers that run: each is called with what the peer asks, and what it answers is sent. */

import { isForCaller, type RemoteError } from "../../../core/contract/remote-error.ts";
import { DECODED, HELD } from "../../../core/held-bytes.ts";
import type { StreamOpened } from "../../../core/session/event.ts";
import { VOLATILE_PLACE } from "../../../core/session/shared-lane.ts";
import { EVENT_HEAD_BYTES, OPEN_HEAD_BYTES, SHARED_HEAD_BYTES } from "../../../core/session/wire/frame-types.ts";
import { ofAnswer, ofHandler, ofQuestion } from "../../contract/error-body.ts";
import type { AnyHandler } from "../../contract/handlers.ts";
import { isThenable } from "../../operation/handled-rejection.ts";
import { decodeMetadata, METADATA_MARK, type MetadataHead, PLACE_BITS } from "../../contract/metadata.ts";
import type { MethodPlan } from "../../contract/plan.ts";
import { type SessionAnswers, unknownMethod } from "./answers.ts";
import { SessionContext } from "./context.ts";
import type { HandlingWithin } from "../settings.ts";
import type { SessionGate } from "../gap.ts";
import type { SessionPartOwner } from "./owner.ts";
import type { SessionStream } from "./stream.ts";

/** Where the question of a stream stands. */
type Question = Pick<StreamOpened, "number" | "bytes" | "start" | "end">;

/** What the handlers of a session need of their owner, besides the session. */
export interface HandlersOwner {
  /** A handler has finished: what waited for it may start. */
  goOn(): void;
}

const NO_CONTEXTS: ReadonlyMap<number, never> = new Map<number, never>();

/** The handlers of one session. Whoever starts one has seen that it may start. */
export class SessionHandlers {
  /** The lane is taken by a handler that has not finished. */
  laneBusy = false;
  /** A handler begins when something is written: what is behind it begins later. */
  isBeginning = false;
  /** Calls whose handlers run. */
  running = 0;
  /** Streams whose handlers run, cancelled ones included. */
  streaming = 0;
  readonly #session: SessionPartOwner;
  readonly #answers: SessionAnswers;
  readonly #owner: HandlersOwner;
  /** What this side offers, by number. */
  readonly #methods: readonly MethodPlan[];
  /** Bodies of the messages whose handlers run. */
  #handledBytes = 0;
  #contexts: Map<number, SessionContext> | undefined;
  #eventContext: SessionContext | undefined;
  /** Of the last event that has one of its own. */
  #describedContext: SessionContext | undefined;

  constructor(session: SessionPartOwner, answers: SessionAnswers, owner: HandlersOwner) {
    this.#session = session;
    this.#answers = answers;
    this.#owner = owner;
    this.#methods = session.plan.own.methods;
  }

  /** Calls whose handlers run, by their ids, for whoever looks. */
  get contexts(): ReadonlyMap<number, Pick<SessionContext, "deadline" | "method">> {
    return this.#contexts ?? NO_CONTEXTS;
  }

  /** Memory of the values that handlers have. */
  get heldBytes(): number {
    return this.running * HELD.handler + this.#handledBytes * DECODED;
  }

  /** Nobody waits for a call any more. False when its handler does not run. */
  cancel(id: number): boolean {
    const context = this.#contexts?.get(id);
    context?.cancel();
    this.#contexts?.delete(id);
    return context !== undefined;
  }

  /** The session is over: nobody waits for the calls any more. */
  over(): void {
    if (this.#contexts === undefined) return;
    const reason = this.#session.overError("session", "unknown");
    for (const context of this.#contexts.values()) context.cancel(reason);
    this.#contexts = undefined;
  }

  /** The handler of an event is not waited for any more. */
  cut(): void {
    if (this.#eventContext === undefined && this.#describedContext === undefined) return;
    const reason = this.#session.overError("session", "unknown");
    this.#eventContext?.cancel(reason);
    this.#describedContext?.cancel(reason);
  }

  /** Handles an event. */
  event(number: number, place: number, bytes: Buffer, start: number, end: number): void {
    const session = this.#session;
    let answer: unknown;
    let understood = false;
    try {
      const method = this.#methods[place & PLACE_BITS];
      if (method?.kind !== "event") throw unknownMethod(place);
      const head = place < METADATA_MARK ? undefined : this.#headOf(place, bytes, start, end);
      const message = this.#answers.decode(method.request, bytes, head?.bodyAt ?? start, end);
      understood = true;
      answer = this.#handle(method, message, this.#contextOf(number, head));
    } catch (error) {
      if (understood) session.problem(error);
      else this.#answers.addWrong(error);
    }
    if (isThenable(answer)) this.#awaitEvent(answer, number, end - start);
    else if (number > 0) session.machine.eventHandled(EVENT_HEAD_BYTES + end - start);
    else this.#sharedHandled(number, end - start);
  }

  /** An event without a number in its session was handled. */
  #sharedHandled(place: number, bodyBytes: number): void {
    if (place !== VOLATILE_PLACE) this.#session.machine.sharedHandled(SHARED_HEAD_BYTES + bodyBytes);
  }

  /** The context of an event. One for all that have no metadata, but for those that a journal keeps apart. */
  #contextOf(number: number, head: MetadataHead | undefined): SessionContext {
    const ownContext = head !== undefined || this.#session.settings.within !== undefined;
    const common = this.#eventContext;
    if (ownContext || common === undefined) return this.#newContext(number, head, ownContext);
    common.number = number;
    return common;
  }
  #newContext(number: number, head: MetadataHead | undefined, isOwn: boolean): SessionContext {
    const context = new SessionContext(this.#session, number, Infinity, head?.metadata);
    if (isOwn) this.#describedContext = context;
    else this.#eventContext = context;
    return context;
  }

  // Methods that make functions are apart from those that run for each message (docs/decisions/0018).
  #awaitEvent(answer: PromiseLike<unknown>, number: number, bodyBytes: number): void {
    const session = this.#session;
    this.laneBusy = true;
    this.#handledBytes += bodyBytes;
    const done = (): void => {
      this.laneBusy = false;
      this.#handledBytes -= bodyBytes;
      if (number > 0) session.machine.eventHandled(EVENT_HEAD_BYTES + bodyBytes);
      else this.#sharedHandled(number, bodyBytes);
      this.#owner.goOn();
    };
    // A thenable may throw, or settle twice; a promise does neither.
    Promise.resolve(answer).then(done, (error: unknown) => {
      session.problem(error);
      done();
    });
  }

  /** Handles a call. */
  call(number: number, place: number, id: number, deadline: number, bytes: Buffer, start: number, end: number): void {
    const session = this.#session;
    const method = this.#methods[place & PLACE_BITS];
    if (method?.kind !== "call") {
      this.#answers.refuse(id, unknownMethod(place));
      return;
    }
    let context: SessionContext;
    let answer: unknown;
    let understood = false;
    try {
      const head = place < METADATA_MARK ? undefined : this.#headOf(place, bytes, start, end);
      const input = this.#answers.decode(method.request, bytes, head?.bodyAt ?? start, end);
      understood = true;
      context = new SessionContext(session, number, deadline, head?.metadata);
      answer = this.#handle(method, input, context);
    } catch (error) {
      if (understood) this.#answers.fail(id, error);
      else this.#answers.refuse(id, error);
      return;
    }
    if (isThenable(answer)) this.#awaitCall(method, id, context, answer, end - start);
    else this.#answers.respond(method, id, answer);
  }

  #awaitCall(
    method: MethodPlan,
    id: number,
    context: SessionContext,
    answer: PromiseLike<unknown>,
    bytes: number,
  ): void {
    this.running += 1;
    this.#handledBytes += bytes;
    if (method.serial) this.laneBusy = true;
    context.method = method.name;
    this.#contexts ??= new Map();
    this.#contexts.set(id, context);
    const done = (): void => {
      this.running -= 1;
      this.#handledBytes -= bytes;
      if (method.serial) this.laneBusy = false;
      this.#owner.goOn();
    };
    Promise.resolve(answer).then(
      (value) => {
        if (this.#takeContext(id, context)) this.#answers.respond(method, id, value);
        done();
      },
      (error: unknown) => {
        if (this.#takeContext(id, context)) this.#answers.fail(id, error);
        else if (!isForCaller(error)) this.#session.problem(error);
        done();
      },
    );
  }

  /** Whether a call still waits for its handler: it may be cancelled, and a peer may use its id again at once. */
  #takeContext(id: number, context: SessionContext): boolean {
    return this.#contexts?.get(id) === context && this.#contexts.delete(id);
  }

  /** Handles a stream; undefined when it was cancelled before it could start. */
  stream(place: number, stream: SessionStream | undefined, id: number, question: Question): void {
    this.#session.machine.freed(OPEN_HEAD_BYTES + question.end - question.start);
    const method = this.#methods[place & PLACE_BITS];
    if (method?.kind !== "stream") {
      this.#answers.refuse(id, unknownMethod(place));
      return;
    }
    if (stream === undefined) return;
    stream.started();
    void this.#runStream(method, stream, place, question);
  }

  async #runStream(
    method: MethodPlan,
    stream: SessionStream,
    place: number,
    { number, bytes, start, end }: Question,
  ): Promise<void> {
    this.streaming += 1;
    this.#handledBytes += end - start;
    let toTell = ofQuestion;
    try {
      const head = place < METADATA_MARK ? undefined : this.#headOf(place, bytes, start, end);
      const input = this.#answers.decode(method.request, bytes, head?.bodyAt ?? start, end);
      toTell = ofHandler;
      const context = new SessionContext(this.#session, number, Infinity, head?.metadata, stream);
      const { watch, within } = this.#session.settings;
      const run = async (): Promise<void> => {
        const items = await this.#run(method, input, stream, context);
        toTell = ofAnswer;
        await stream.sendAll(items);
      };
      const watched = (): unknown => (watch.watches(method) ? watch.handle(method, input, context, run) : run());
      await (within === undefined ? watched() : within(context, method, watched));
      // An interceptor may have ended it without its handler.
      stream.end();
    } catch (error) {
      this.#failStream(stream, error, toTell);
    }
    stream.abandoned();
    this.streaming -= 1;
    this.#handledBytes -= end - start;
    this.#owner.goOn();
  }

  #failStream(stream: SessionStream, error: unknown, toTell: (error: unknown) => RemoteError): void {
    // What a handler throws because its stream is over is no news.
    if (stream.hasFailed) return;
    stream.fail(error);
    if (toTell === ofQuestion) this.#answers.refuse(stream.id, error);
    else this.#answers.fail(stream.id, error, toTell(error));
  }

  /** The metadata before a body. */
  #headOf(place: number, bytes: Buffer, start: number, end: number): MetadataHead {
    if (!this.#session.terms.hasMetadata) throw unknownMethod(place);
    return decodeMetadata(bytes, start, end);
  }

  /** Handles a call or an event, through what stands around it. */
  #handle(method: MethodPlan, input: unknown, context: SessionContext): unknown {
    const { settings, gate } = this.#session;
    const { watch, within } = settings;
    if (within !== undefined || gate !== undefined || watch.watches(method))
      return this.#handleWatched(method, input, context);
    return (settings.handlerList[method.place] as AnyHandler).call(settings.handlers, input, context);
  }

  // Apart from what runs for each message of a session around which nothing stands.
  #handleWatched(method: MethodPlan, input: unknown, context: SessionContext): unknown {
    const { watch, within } = this.#session.settings;
    // One that may be lost is not delivered again, so nothing needs to be known again.
    if (within !== undefined && context.number !== VOLATILE_PLACE)
      return this.#handleWithin(within, method, input, context);
    return watch.watches(method) ? this.#watched(method, input, context) : this.#run(method, input, context);
  }

  #handleWithin(within: HandlingWithin, method: MethodPlan, input: unknown, context: SessionContext): unknown {
    const { watch } = this.#session.settings;
    let hasBegun = false;
    const begun = (): void => {
      if (hasBegun) return;
      hasBegun = true;
      if (!this.isBeginning) return;
      this.isBeginning = false;
      this.#owner.goOn();
    };
    const answer = within(context, method, () => {
      try {
        return watch.watches(method) ? this.#watched(method, input, context) : this.#run(method, input, context);
      } finally {
        begun();
      }
    });
    if (!hasBegun) {
      this.isBeginning = true;
      Promise.resolve(answer).then(begun, begun);
    }
    return answer;
  }

  #watched(method: MethodPlan, input: unknown, context: SessionContext): unknown {
    return this.#session.settings.watch.handle(method, input, context, () => this.#run(method, input, context));
  }

  /** Calls the handler of a method. */
  #run(method: MethodPlan, input: unknown, second: unknown, third?: unknown): unknown {
    const { settings, gate } = this.#session;
    const handler = settings.handlerList[method.place] as AnyHandler;
    if (gate !== undefined) return this.#runInside(gate, handler, input, second, third);
    return handler.call(settings.handlers, input, second, third);
  }

  #runInside(gate: SessionGate, handler: AnyHandler, input: unknown, second: unknown, third: unknown): unknown {
    return gate.run(() => handler.call(this.#session.settings.handlers, input, second, third));
  }
}
