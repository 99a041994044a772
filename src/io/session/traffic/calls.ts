/** The calls of this side: who waits for an answer. */

import type { RemoteError } from "../../../core/contract/remote-error.ts";
import { ConnectionError } from "../../../core/errors.ts";
import { HELD } from "../../../core/held-bytes.ts";
import type { AnswerReceived } from "../../../core/session/event.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { readErrorBody } from "../../contract/error-body.ts";
import { copyOfBody } from "../../contract/format.ts";
import { behindMetadata, METADATA_MARK, type SessionCallOptions } from "../../contract/metadata.ts";
import type { MethodPlan } from "../../contract/plan.ts";
import { unwatchAbort, watchAbort } from "../../operation/abort-watch.ts";
import { refusedAtOnce, SESSION_CALL_RULES, timeoutError } from "../../operation/deadline.ts";
import { handled, rejectedQuietly } from "../../operation/handled-rejection.ts";
import { awayError } from "../end.ts";
import type { SessionGap } from "../gap.ts";
import { outcomeOf, type SessionPartOwner } from "./owner.ts";
import type { Request, WaitingRequests } from "./waiting-requests.ts";

const ignore = (): void => undefined;

/** A call that waits for its answer, or for room. */
class PendingCall implements Request {
  readonly method: MethodPlan;
  /** `METADATA_MARK` if metadata stand before its body, else 0. */
  readonly mark: number;
  readonly timeoutMs: number;
  readonly deadline: number;
  readonly promise: Promise<unknown>;
  id = 0;
  /** For another session, where it cannot have reached the peer in this one. */
  waits = true;
  readonly #calls: SessionCalls;
  #resolve: (value: unknown) => void = ignore;
  #reject: (reason: unknown) => void = ignore;
  /** Its own copy, while it waits for room. */
  #body: BodyPlace | undefined;
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(calls: SessionCalls, method: MethodPlan, mark: number, timeoutMs: number, deadline: number) {
    this.#calls = calls;
    this.method = method;
    this.mark = mark;
    this.timeoutMs = timeoutMs;
    this.deadline = deadline;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
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
      this.fail(error);
      return true;
    }
  }

  moveTo(gap: SessionGap, body: BodyPlace | undefined = this.#body): boolean {
    if (!this.waits || body === undefined) return false;
    const sender = {
      signal: this.#signal,
      timeoutMs: this.timeoutMs,
      deadline: this.deadline,
      resolve: (value: unknown) => this.resolve(value),
      reject: (reason: unknown) => this.fail(reason),
    };
    const moved = gap.carryCall(this.method, body, this.mark !== 0, sender);
    if (moved) this.#unwatch();
    return moved;
  }

  resolve(value: unknown): void {
    this.#unwatch();
    this.#resolve(value);
  }

  fail(reason: unknown): void {
    this.#unwatch();
    // A peer that fails a call must not end a process that does not look at the answer.
    void handled(this.promise);
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
  readonly #requests: WaitingRequests;
  readonly #pending: Map<number, PendingCall> = new Map();

  constructor(owner: SessionPartOwner, requests: WaitingRequests) {
    this.#owner = owner;
    this.#requests = requests;
  }

  /** Memory of the calls that wait for their answers. */
  get heldBytes(): number {
    return this.#pending.size * HELD.call;
  }

  /** Calls a method of the peer. */
  call(method: MethodPlan, input: unknown, options: SessionCallOptions | undefined): Promise<unknown> {
    const owner = this.#owner;
    const refused = refusedAtOnce(options, () => owner.context(method.name), SESSION_CALL_RULES);
    if (refused !== undefined) return rejectedQuietly(refused.reason);
    let head: Buffer | undefined;
    let body: BodyPlace;
    try {
      head = owner.terms.metadataOf(method, options);
      const gap = this.#gapFor(method, options);
      if (gap !== undefined) return gap.call(method, input, options ?? {}, owner.context(method.name));
      owner.placeOf(method);
      body = behindMetadata(head, method.request.encode(input));
    } catch (error) {
      return rejectedQuietly(error);
    }
    const timeoutMs = options?.timeoutMs ?? owner.settings.callMs;
    const call = new PendingCall(
      this,
      method,
      head === undefined ? 0 : METADATA_MARK,
      timeoutMs,
      owner.now() + timeoutMs,
    );
    call.waits = this.#waits(options) && owner.gate?.isInside !== true;
    this.#begin(call, body, options?.signal);
    return call.promise;
  }

  #waits(options: SessionCallOptions | undefined): boolean {
    return (options?.whileAway ?? this.#owner.settings.whileAway) === "wait";
  }

  /** Where a call has to wait for another session, or for this one to be ready; undefined when it need not. @throws ConnectionError `SESSION_AWAY`. */
  #gapFor(method: MethodPlan, options: SessionCallOptions | undefined): SessionGap | undefined {
    const { gap, gate, end, machine } = this.#owner;
    const waits = this.#waits(options);
    if (gap === undefined) {
      if (!waits && end === undefined && machine.link === undefined) throw awayError(this.#owner.context(method.name));
      if (gate === undefined || gate.isInside) return undefined;
    }
    // Whoever makes a session ready makes only this one ready: for the next one it is asked again.
    if (waits && (gap === undefined || gate?.isInside !== true)) return gap ?? gate?.gap;
    throw awayError(this.#owner.context(method.name), gap === undefined ? "onReady has not finished" : undefined);
  }

  #begin(call: PendingCall, body: BodyPlace, signal: AbortSignal | undefined): void {
    const owner = this.#owner;
    const requests = this.#requests;
    try {
      if (requests.mustWait || !this.transmit(call, body, call.timeoutMs, owner.turnTime())) {
        call.keep(body);
        requests.add(call);
      }
      if (signal !== undefined) call.watch(signal);
    } catch (error) {
      call.fail(owner.end === undefined ? error : owner.overError(call.op, "none"));
    }
  }

  /** The calls that wait for their answers, by their ids, for whoever looks. */
  get pending(): ReadonlyMap<number, Pick<PendingCall, "op" | "timeoutMs" | "deadline">> {
    return this.#pending;
  }

  /** Gives a call to the machine; false when there is no room. */
  transmit(call: PendingCall, body: BodyPlace, timeoutMs: number, now: number): boolean {
    const owner = this.#owner;
    const id = owner.machine.call(owner.placeOf(call.method) | call.mark, body, timeoutMs, now);
    if (id === 0) return false;
    call.id = id;
    this.#pending.set(id, call);
    owner.gathered(body.end - body.start);
    return true;
  }

  /** The caller gives up. */
  abandon(call: PendingCall, signal: AbortSignal): void {
    if (call.id === 0) this.#requests.withdraw(call);
    else {
      this.#pending.delete(call.id);
      this.#owner.machine.cancel(call.id, this.#owner.now());
      this.#owner.touch();
    }
    call.fail(signal.reason);
  }

  /** The peer has answered. */
  answered({ id, bytes, start, end }: AnswerReceived): void {
    const call = this.#take(id);
    if (call === undefined) return;
    try {
      call.resolve(call.method.response.decode(bytes, start, end));
    } catch (error) {
      call.fail(error);
    }
  }

  /** The peer has answered with an error; false when it is none of the calls. */
  rejected({ id, bytes, start, end }: AnswerReceived): boolean {
    const call = this.#take(id);
    if (call !== undefined) call.fail(this.#errorOf(call, readErrorBody(bytes, start, end)));
    return call !== undefined;
  }

  /** A call that had begun at a server that died is as one whose session is lost: nobody knows whether it was done. */
  #errorOf({ method }: PendingCall, error: RemoteError): Error {
    if (error.code !== "SESSION_MOVED") return error;
    const { message: detail } = error;
    return new ConnectionError("SESSION_MOVED", { ...this.#owner.context(method.name), detail, outcome: "unknown" });
  }

  /** A call was not answered in its time. */
  timedOut(id: number, outcome: "not-sent" | "unknown"): void {
    const call = this.#take(id);
    call?.fail(timeoutError(call.timeoutMs, this.#owner.context(call.op), outcomeOf(outcome)));
  }

  /** A call did not reach the peer: answers whether it waits for another session. */
  carry(id: number, body: BodyPlace, gap: SessionGap): boolean {
    return this.#pending.get(id)?.moveTo(gap, body) === true && this.#pending.delete(id);
  }

  /** The session is lost, or the peer left before it took this call; false when it is none of the calls. */
  lost(id: number, outcome: "not-sent" | "unknown"): boolean {
    const call = this.#take(id);
    call?.fail(this.#owner.overError(call.op, outcomeOf(outcome)));
    return call !== undefined;
  }

  /** The session is over. */
  over(): void {
    for (const call of this.#pending.values()) call.fail(this.#owner.overError(call.op, "unknown"));
    this.#pending.clear();
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    if (call !== undefined) this.#pending.delete(id);
    return call;
  }
}
