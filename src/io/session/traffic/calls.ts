/** The calls of this side: who waits for an answer, and who waits for room to ask. */

import { UsageError } from "../../../core/errors.ts";
import { FifoMap } from "../../../core/fifo-map.ts";
import { HELD } from "../../../core/held-bytes.ts";
import type { AnswerReceived } from "../../../core/session/event.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { readErrorBody } from "../../contract/error-body.ts";
import { copyOfBody } from "../../contract/format.ts";
import type { MethodPlan } from "../../contract/plan.ts";
import { type OperationOptions, refusedAtOnce, timeoutError } from "../../operation/deadline.ts";
import { unwatchAbort, watchAbort } from "../../operation/abort-watch.ts";
import { handled, rejectedQuietly } from "../../operation/handled-rejection.ts";
import type { SessionEvents } from "./events.ts";
import { mayHold, outcomeOf, type Request, type SessionPartOwner } from "./owner.ts";

/** Requests that may wait for room without being awaited, and the memory that they pin. */
const MAX_WAITING = 65_536;
const MAX_WAITING_BYTES = 16_777_216;

/** A call that waits for its answer, or for room. */
class PendingCall implements Request {
  readonly method: MethodPlan;
  readonly timeoutMs: number;
  readonly deadline: number;
  promise: Promise<unknown> | undefined;
  id = 0;
  readonly #calls: SessionCalls;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (reason: unknown) => void;
  /** Its own copy, while it waits for room. */
  #body: BodyPlace | undefined;
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    calls: SessionCalls,
    method: MethodPlan,
    timeoutMs: number,
    deadline: number,
    settle: { readonly resolve: (value: unknown) => void; readonly reject: (reason: unknown) => void },
  ) {
    this.#calls = calls;
    this.method = method;
    this.timeoutMs = timeoutMs;
    this.deadline = deadline;
    this.#resolve = settle.resolve;
    this.#reject = settle.reject;
  }

  /** Gives up when the signal aborts. */
  watch(signal: AbortSignal): void {
    this.#signal = signal;
    this.#onAbort = () => this.#calls.abandon(this, signal);
    watchAbort(signal, this.#onAbort);
  }

  keep(body: BodyPlace): void {
    this.#body = copyOfBody(body);
  }

  get op(): string {
    return this.method.name;
  }

  get heldBytes(): number {
    return HELD.call + (this.#body?.end ?? 0);
  }

  transmit(now: number): boolean {
    try {
      const sent = this.#calls.transmit(this, this.#body as BodyPlace, this.deadline - now, now);
      if (sent) this.#body = undefined;
      return sent;
    } catch (error) {
      this.reject(error);
      return true;
    }
  }

  unsent(reason: unknown): void {
    this.reject(reason);
  }

  resolve(value: unknown): void {
    this.#unwatch();
    this.#resolve(value);
  }

  reject(reason: unknown): void {
    this.#unwatch();
    // A peer that fails a call must not end a process that does not look at the answer.
    if (this.promise !== undefined) void handled(this.promise);
    this.#reject(reason);
  }

  #unwatch(): void {
    if (this.#onAbort === undefined || this.#signal === undefined) return;
    unwatchAbort(this.#signal, this.#onAbort);
    this.#onAbort = undefined;
  }
}

/** The calls of this side of one session. */
export class SessionCalls {
  readonly #owner: SessionPartOwner;
  readonly #events: SessionEvents;
  readonly #pending: Map<number, PendingCall> = new Map();
  /** In the order in which they were made; any of them may be given up. */
  #waiting: FifoMap<Request, true> | undefined;
  /** Memory of the requests that wait for room. */
  #waitingBytes = 0;
  /** No request that waits for room is given up before this. */
  #expiry = Infinity;

  constructor(owner: SessionPartOwner, events: SessionEvents) {
    this.#owner = owner;
    this.#events = events;
  }

  /** Memory of the calls that wait: for room, or for their answers. */
  get heldBytes(): number {
    return this.#waitingBytes + this.#pending.size * HELD.call;
  }

  /** When `expire` has something to do. */
  get nextDeadline(): number {
    return this.#expiry;
  }

  /** Calls a method of the peer. */
  call(method: MethodPlan, input: unknown, options: OperationOptions | undefined): Promise<unknown> {
    const owner = this.#owner;
    const refused = refusedAtOnce(options, () => owner.context(method.name));
    if (refused !== undefined) return rejectedQuietly(refused.reason);
    let body: BodyPlace;
    try {
      const { gap } = owner;
      if (gap !== undefined) return gap.call(method, input, options ?? {}, owner.context(method.name));
      owner.placeOf(method);
      body = method.request.encode(input);
    } catch (error) {
      return rejectedQuietly(error);
    }
    let pending: PendingCall | undefined;
    const promise = new Promise<unknown>((resolve, reject) => {
      const timeoutMs = options?.timeoutMs ?? owner.settings.callMs;
      pending = new PendingCall(this, method, timeoutMs, owner.now() + timeoutMs, { resolve, reject });
    });
    const call = pending as unknown as PendingCall;
    call.promise = promise;
    this.#begin(call, body, options?.signal);
    return promise;
  }

  #begin(call: PendingCall, body: BodyPlace, signal: AbortSignal | undefined): void {
    const owner = this.#owner;
    try {
      if (this.#mustWait || !this.transmit(call, body, call.timeoutMs, owner.turnTime())) {
        call.keep(body);
        this.wait(call);
      }
      if (signal !== undefined) call.watch(signal);
    } catch (error) {
      call.reject(owner.end === undefined ? error : owner.overError(call.method.name, "none"));
    }
  }

  /** Whether something was there before: requests are sent in the order in which they were made. */
  get #mustWait(): boolean {
    return this.isWaiting || !this.#events.isEmpty;
  }

  /** Sends a request now if there is room and nothing waits; else it waits. Throws when it can never be sent. */
  submit(request: Request): void {
    if (this.#mustWait || !request.transmit(this.#owner.now())) this.wait(request);
  }

  /** Gives a call to the machine; false when there is no room. */
  transmit(call: PendingCall, body: BodyPlace, timeoutMs: number, now: number): boolean {
    const owner = this.#owner;
    const id = owner.machine.call(owner.placeOf(call.method), body, timeoutMs, now);
    if (id === 0) return false;
    call.id = id;
    this.#pending.set(id, call);
    owner.gathered(body.end - body.start);
    return true;
  }

  /** Whether a request waits for room. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined && this.#waiting.size > 0;
  }

  /** Puts a request at the end of those that wait for room. */
  wait(request: Request): void {
    this.#waiting ??= new FifoMap();
    const { size } = this.#waiting;
    const { heldBytes } = request;
    const isFull = size >= MAX_WAITING || this.#waitingBytes + heldBytes > MAX_WAITING_BYTES;
    if (size > 0 && (isFull || !mayHold(this.#owner, heldBytes))) {
      const detail = `${size} requests, which take ${this.#waitingBytes} bytes, wait already; await their answers`;
      throw new UsageError("QUEUE_FULL", { op: request.op, detail, outcome: "none" });
    }
    this.#waiting.add(request, true);
    this.#waitingBytes += heldBytes;
    if (request.deadline < this.#expiry) this.#expiry = request.deadline;
    this.#owner.touch();
  }

  /** Takes a request off those that wait for room; false when it is not among them. */
  withdraw(request: Request): boolean {
    if (this.#waiting?.delete(request) !== true) return false;
    this.#waitingBytes -= request.heldBytes;
    return true;
  }

  /** There may be room: sends what waits, in order. */
  writable(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const now = this.#owner.now();
    for (let request = waiting.first(); request !== undefined; request = waiting.first()) {
      const { heldBytes } = request;
      if (!request.transmit(now)) return;
      waiting.delete(request);
      this.#waitingBytes -= heldBytes;
    }
  }

  /** Gives up the requests that have waited for room until their time was up. */
  expire(now: number): void {
    const waiting = this.#waiting;
    if (now < this.#expiry || waiting === undefined) return;
    this.#expiry = Infinity;
    for (const request of waiting.keys()) {
      if (request.deadline > now) {
        if (request.deadline < this.#expiry) this.#expiry = request.deadline;
        continue;
      }
      this.withdraw(request);
      request.unsent(timeoutError(request.timeoutMs, this.#owner.context(request.op), "none"));
    }
  }

  /** The caller gives up. */
  abandon(call: PendingCall, signal: AbortSignal): void {
    if (call.id === 0) this.withdraw(call);
    else {
      this.#pending.delete(call.id);
      this.#owner.machine.cancel(call.id, this.#owner.now());
      this.#owner.touch();
    }
    call.reject(signal.reason);
  }

  /** The peer has answered. */
  answered({ id, bytes, start, end }: AnswerReceived): void {
    const call = this.#take(id);
    if (call === undefined) return;
    try {
      call.resolve(call.method.response.decode(bytes, start, end));
    } catch (error) {
      call.reject(error);
    }
  }

  /** The peer has answered with an error; false when it is none of the calls. */
  rejected({ id, bytes, start, end }: AnswerReceived): boolean {
    const call = this.#take(id);
    call?.reject(readErrorBody(bytes, start, end));
    return call !== undefined;
  }

  /** A call was not answered in its time. */
  timedOut(id: number): void {
    const call = this.#take(id);
    call?.reject(timeoutError(call.timeoutMs, this.#owner.context(call.op), "unknown"));
  }

  /** The session is lost, or the peer left before it took this call; false when it is none of the calls. */
  lost(id: number, outcome: "not-sent" | "unknown"): boolean {
    const call = this.#take(id);
    call?.reject(this.#owner.overError(call.method.name, outcomeOf(outcome)));
    return call !== undefined;
  }

  /** The session is over. */
  over(): void {
    this.refuse();
    for (const call of this.#pending.values()) call.reject(this.#owner.overError(call.method.name, "unknown"));
    this.#pending.clear();
  }

  /** The peer takes nothing new: what waits for room is not sent. */
  refuse(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#waitingBytes = 0;
    this.#expiry = Infinity;
    for (const request of waiting?.keys() ?? []) request.unsent(this.#owner.overError(request.op, "none"));
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    if (call !== undefined) this.#pending.delete(id);
    return call;
  }
}
