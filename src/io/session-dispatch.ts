/** Handlers: what the peer asks for, started in the order of the wire. */

import { encodeRemoteError, RemoteError } from "../core/contract/remote-error.ts";
import { ConnectionError, ProtocolError, type ZocaloError } from "../core/errors.ts";
import type { CallReceived, EventReceived, StreamOpened } from "../core/session/session-event.ts";
import { textPlace } from "./session-format.ts";
import { SessionContext } from "./session-context.ts";
import type { SessionHost } from "./session-host.ts";
import type { MethodPlan } from "./session-plan.ts";
import type { AnyHandler } from "./session-settings.ts";
import { PackedQueue } from "./session-start-queue.ts";
import type { ContractStream } from "./session-stream-object.ts";
import type { OpenStreams } from "./session-streams.ts";

const EVENT = 0;
const CALL = 1;
const OPEN = 2;

/** A session with its streams. */
export interface DispatchHost extends SessionHost {
  readonly streams: OpenStreams;
}

/**
 * Starts handlers. Events run one after the other, calls of the order `serial` among them; other calls run beside them, up
 * to a number. All start in the order of the wire, so a message that cannot start yet holds up those behind it; answers,
 * cancels and items of open streams never wait here (SEMANTICS D.9).
 */
export class SessionDispatch {
  readonly #host: DispatchHost;
  #queue: PackedQueue | undefined;
  /** The lane is taken by a handler that has not finished. */
  #laneBusy = false;
  /** Calls whose handlers run. */
  #running = 0;
  #contexts: Map<number, SessionContext> | undefined;
  /** Calls that were cancelled while they waited. */
  #cancelled: Set<number> | undefined;
  #eventContext: SessionContext | undefined;

  constructor(host: DispatchHost) {
    this.#host = host;
  }

  /** Memory of the messages that wait. */
  get heldBytes(): number {
    return this.#queue?.heldBytes ?? 0;
  }

  /** Whether no handler runs and none waits. */
  get isIdle(): boolean {
    return !this.#laneBusy && this.#running === 0 && !this.#mustQueue;
  }

  /** Handlers of calls that run now. */
  get running(): number {
    return this.#running;
  }

  /** An event came. */
  event(event: EventReceived): void {
    const { method, chargeBytes, bytes, start, end } = event;
    if (this.#laneBusy || this.#mustQueue) {
      this.#push({ kind: EVENT, method, id: 0, chargeBytes, deadline: Infinity }, bytes, start, end);
    } else this.#startEvent(method, chargeBytes, bytes, start, end);
  }

  /** A call came. */
  call(event: CallReceived): void {
    const { method, id, timeoutMs, bytes, start, end } = event;
    const deadline = this.#host.turnTime() + timeoutMs;
    if (this.#mustQueue || !this.#mayStart(CALL, method)) {
      this.#push({ kind: CALL, method, id, chargeBytes: 0, deadline }, bytes, start, end);
    } else this.#startCall(method, id, deadline, bytes, start, end);
  }

  /** A stream was opened; its items may come from now on. */
  open(event: StreamOpened): void {
    const { method, id, bytes, start, end } = event;
    const host = this.#host;
    const plan = host.plan.own.methods[method];
    if (plan?.kind !== "stream") {
      this.#fail(id, unknownMethod(method));
      return;
    }
    host.streams.accept(event, plan);
    if (this.#mustQueue) this.#push({ kind: OPEN, method, id, chargeBytes: 0, deadline: Infinity }, bytes, start, end);
    else this.#startStream(plan, id, bytes, start, end);
  }

  /** Nobody waits for a call any more. */
  cancelled(id: number): void {
    const context = this.#contexts?.get(id);
    if (context !== undefined) {
      context.cancel(noOneWaits());
      this.#contexts?.delete(id);
    } else if (this.#queue !== undefined && this.#queue.size > 0) {
      this.#cancelled ??= new Set();
      this.#cancelled.add(id);
    }
  }

  /** The session is over. */
  over(): void {
    this.#queue?.clear();
    const reason = this.#host.overError("session", "unknown");
    for (const context of this.#contexts?.values() ?? []) context.cancel(reason);
    this.#contexts = undefined;
    this.#eventContext?.cancel(reason);
  }

  /** Starts what waits and can start. */
  startWaiting(): void {
    const queue = this.#queue;
    while (queue?.peek() === true) {
      const { kind, method, id, chargeBytes, deadline, bytes, start, end } = queue;
      if (this.#cancelled?.delete(id) === true && kind === CALL) queue.drop();
      else if (!this.#mayStart(kind, method)) return;
      else {
        queue.drop();
        if (kind === EVENT) this.#startEvent(method, chargeBytes, bytes, start, end);
        else if (kind === CALL) this.#startCall(method, id, deadline, bytes, start, end);
        else this.#startStream(this.#host.plan.own.methods[method] as MethodPlan, id, bytes, start, end);
      }
    }
    this.#cancelled = undefined;
  }

  get #mustQueue(): boolean {
    return this.#queue !== undefined && this.#queue.size > 0;
  }

  #mayStart(kind: number, method: number): boolean {
    if (kind === EVENT) return !this.#laneBusy;
    // A peer that does not acknowledge answers gets no more of them.
    if (!this.#host.machine.hasRoom) return false;
    if (kind === OPEN) return true;
    if (this.#running >= this.#host.settings.maxConcurrentCalls) return false;
    return this.#host.plan.own.methods[method]?.serial !== true || !this.#laneBusy;
  }

  #push(message: Parameters<PackedQueue["push"]>[0], bytes: Buffer, start: number, end: number): void {
    this.#queue ??= new PackedQueue();
    this.#queue.push(message, bytes, start, end);
  }

  #startEvent(place: number, chargeBytes: number, bytes: Buffer, start: number, end: number): void {
    const host = this.#host;
    let answer: unknown;
    try {
      const method = host.plan.own.methods[place];
      if (method?.kind !== "event") throw unknownMethod(place);
      const message = method.request.decode(bytes, start, end);
      this.#eventContext ??= new SessionContext(host, Infinity);
      answer = this.#handle(method, message, this.#eventContext);
    } catch (error) {
      host.problem(error);
    }
    if (!isThenable(answer)) {
      host.machine.handled(chargeBytes);
      return;
    }
    this.#laneBusy = true;
    const done = (): void => {
      this.#laneBusy = false;
      host.machine.handled(chargeBytes);
      this.#goOn();
    };
    answer.then(done, (error: unknown) => {
      host.problem(error);
      done();
    });
  }

  #startCall(place: number, id: number, deadline: number, bytes: Buffer, start: number, end: number): void {
    const host = this.#host;
    const method = host.plan.own.methods[place];
    if (method?.kind !== "call") {
      this.#fail(id, unknownMethod(place));
      return;
    }
    let context: SessionContext | undefined;
    let answer: unknown;
    try {
      const input = method.request.decode(bytes, start, end);
      context = new SessionContext(host, deadline);
      answer = this.#handle(method, input, context);
    } catch (error) {
      this.#fail(id, error);
      return;
    }
    if (!isThenable(answer)) {
      this.#respond(method, id, answer);
      return;
    }
    this.#running += 1;
    if (method.serial) this.#laneBusy = true;
    this.#contexts ??= new Map();
    this.#contexts.set(id, context);
    const done = (): void => {
      this.#running -= 1;
      if (method.serial) this.#laneBusy = false;
      this.#contexts?.delete(id);
      this.#goOn();
    };
    answer.then(
      (value) => {
        this.#respond(method, id, value);
        done();
      },
      (error: unknown) => {
        this.#fail(id, error);
        done();
      },
    );
  }

  #startStream(method: MethodPlan, id: number, bytes: Buffer, start: number, end: number): void {
    const host = this.#host;
    const stream = host.streams.get(id);
    // It was cancelled before it could start.
    if (stream === undefined) return;
    try {
      const input = method.request.decode(bytes, start, end);
      const answer = this.#handle(method, input, stream, new SessionContext(host, Infinity, stream.signal));
      void this.#finishStream(stream, answer);
    } catch (error) {
      this.#failStream(stream, error);
    }
  }

  async #finishStream(stream: ContractStream, answer: unknown): Promise<void> {
    try {
      await stream.sendAll(await answer);
    } catch (error) {
      this.#failStream(stream, error);
    }
  }

  #failStream(stream: ContractStream, error: unknown): void {
    // What a handler throws because its stream is over is no news.
    if (stream.signal.aborted) return;
    stream.failed(error);
    this.#fail(stream.id, error);
    this.#host.touch();
  }

  /** A handler has finished: what waited for it may start. */
  #goOn(): void {
    if (this.#mustQueue) this.startWaiting();
    this.#host.touch();
  }

  /** Calls the handler of a method. */
  #handle(method: MethodPlan, input: unknown, second: unknown, third?: unknown): unknown {
    const { handlers, handlerList } = this.#host.settings;
    return (handlerList[method.place] as AnyHandler).call(handlers, input, second, third);
  }

  #respond(method: MethodPlan, id: number, value: unknown): void {
    const host = this.#host;
    if (host.end !== undefined) return;
    try {
      const body = method.response.encode(value);
      host.machine.respond(id, body, host.turnTime());
      host.gathered(body.end - body.start);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  /** Ends a call or a stream of the peer with an error. Only what the application meant for the peer crosses the wire. */
  #fail(id: number, cause: unknown): void {
    const host = this.#host;
    let error = INTERNAL;
    if (cause instanceof RemoteError) error = cause;
    else if (cause instanceof ProtocolError && cause.side === "remote")
      error = new RemoteError(cause.code, cause.detail);
    if (error !== cause) host.problem(cause);
    if (host.end !== undefined) return;
    let text: string;
    try {
      text = encodeRemoteError(error);
    } catch (problem) {
      // Its data has no JSON form.
      host.problem(problem);
      text = encodeRemoteError(new RemoteError(error.code, error.message));
    }
    const now = host.turnTime();
    try {
      host.machine.fail(id, textPlace(text), now);
    } catch (problem) {
      // It is longer than the longest message that the peer takes.
      host.problem(problem);
      host.machine.fail(id, textPlace(SHORTEST), now);
    }
    host.touch();
  }
}

const INTERNAL: RemoteError = new RemoteError("INTERNAL", "the handler failed");
/** Fits into the smallest frame that a peer may ask for. */
const SHORTEST = '{"code":"INTERNAL"}';

function unknownMethod(place: number): ProtocolError {
  const detail = `method ${place} is not offered, or is of another kind; the peer has another version of the contract`;
  return new ProtocolError("METHOD_UNKNOWN", { op: "receive", detail });
}

function noOneWaits(): ZocaloError {
  const detail = "nobody waits for the answer any more: the caller has cancelled, or its time is up";
  return new ConnectionError("CLOSED", { op: "call", detail, side: "remote" });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
