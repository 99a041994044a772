/**
 * What a client is asked for while its session cannot take it and another one follows, and what that session could not send: it
 * waits, and belongs to the next one.
 */

import { UsageError, type ZocaloError } from "../../core/errors.ts";
import { DECODED, HELD } from "../../core/held-bytes.ts";
import { AWAITED_BOUNDS, type EventQueue, makeRoom, POSTED_BOUNDS } from "../../core/session/waiting-events.ts";
import { Deadline, expiryReason, type OperationContext } from "../operation/deadline.ts";
import { FULFILLED, handled, rejectedQuietly } from "../operation/handled-rejection.ts";
import type { LostMessage } from "./end.ts";
import {
  decodeMetadata,
  encodeMetadata,
  type RemoteCallOptions,
  type RemoteEventOptions,
  type SessionCallOptions,
} from "../contract/metadata.ts";
import type { CodecPlan, MethodPlan } from "../contract/plan.ts";
import type { BodyPlace } from "../../core/session/outgoing.ts";
import type { EndpointSettings } from "./settings.ts";

/** A session that has begun. */
export interface NextSession {
  readonly plan: CodecPlan;
  readonly events: { send(method: MethodPlan, value: unknown, options?: RemoteEventOptions): Promise<void> };
  readonly calls: {
    call(method: MethodPlan, input: unknown, options: SessionCallOptions | undefined): Promise<unknown>;
  };
}

/** Holds back what the program asks of a session until its client has made that ready. */
export interface SessionGate {
  /** Whether what is asked now is asked to make it ready, and must not wait for that. */
  readonly isInside: boolean;
  /** Where all else waits. */
  readonly gap: SessionGap;
  /** Calls a handler: what it asks for does not wait, since who makes the session ready may wait for it. */
  run<T>(call: () => T): T;
}

/** What is asked, with what it holds, about, and its metadata. */
interface Asked {
  readonly value: unknown;
  readonly bytes: number;
  readonly described: RemoteEventOptions | undefined;
}

/** Who waits for the answer of a call, and how long. */
interface Caller {
  readonly signal: AbortSignal | undefined;
  /** As it was asked for; Infinity for no end. */
  readonly timeoutMs: number;
  readonly deadline: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** Who waits until an event is sent. */
interface EventSender {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** A call, or an event. */
interface Waiting {
  readonly method: MethodPlan;
  /** What it holds, about. */
  readonly bytes: number;
  /** Asks a session for it. */
  ask(session: NextSession): void;
  /** It was not sent, and will not be; undefined when nobody awaits it. */
  readonly refuse: ((reason: unknown) => void) | undefined;
}

/** Calls and events between two sessions of one client, in the order in which the program has made them. */
export class SessionGap implements EventQueue {
  /** Events that wait, and what they hold. */
  size = 0;
  bytes = 0;
  /** Events that were dropped by the policy. */
  dropped = 0;
  readonly #settings: EndpointSettings;
  readonly #waiting: Set<Waiting> = new Set();
  #callBytes = 0;
  #onEmpty: (() => void) | undefined;

  constructor(settings: EndpointSettings) {
    this.#settings = settings;
  }

  /** Memory of what waits. */
  get heldBytes(): number {
    return this.bytes + this.#callBytes;
  }

  /** Resolves when nothing waits any more. */
  get emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      this.#look();
    });
  }

  /** Sends an event in the next session. @throws UsageError `FRAME_INVALID`. */
  event(method: MethodPlan, input: unknown, options?: RemoteEventOptions): Promise<void> {
    const { overflow } = this.#settings;
    const asked = copyOf(method, input, options);
    const bounds = overflow === "block" ? AWAITED_BOUNDS : POSTED_BOUNDS;
    const fits = overflow !== "strict" && makeRoom(this, bounds, overflow, asked.bytes);
    if (!fits && (overflow === "block" || overflow === "strict")) return rejectedQuietly(queueFull(method.name));
    if (!fits) this.dropped += 1;
    else if (overflow !== "block") this.#putEvent(method, asked, undefined);
    else return handled(new Promise((resolve, reject) => this.#putEvent(method, asked, { resolve, reject })));
    return FULFILLED;
  }

  /** Calls a method in the next session. `context` names the call in errors. @throws UsageError `FRAME_INVALID`. */
  call(method: MethodPlan, input: unknown, options: RemoteCallOptions, context: OperationContext): Promise<unknown> {
    const { clock, callMs } = this.#settings;
    const asked = copyOf(method, input, options);
    if (!this.#takesCall(asked.bytes)) return rejectedQuietly(queueFull(method.name));
    const { signal, timeoutMs = callMs } = options;
    const deadline = clock.now() + timeoutMs;
    return handled(
      new Promise((resolve, reject) =>
        this.#putCall(method, asked, { signal, timeoutMs, deadline, resolve, reject }, context),
      ),
    );
  }

  /** Takes a call that the session before has not sent; false when it cannot. */
  carryCall(method: MethodPlan, body: BodyPlace, marked: boolean, caller: Caller): boolean {
    const asked = readAgain(method, body, marked);
    if (asked === undefined || !this.#takesCall(asked.bytes)) return false;
    this.#putCall(method, asked, caller, { op: method.name });
    return true;
  }

  /** Takes an event that the session before has not sent, with whoever awaits that; false when it cannot. */
  carryEvent(method: MethodPlan, body: BodyPlace, marked: boolean, sender: EventSender | undefined): boolean {
    const asked = readAgain(method, body, marked);
    if (asked === undefined || !makeRoom(this, AWAITED_BOUNDS, "block", asked.bytes)) return false;
    this.#putEvent(method, asked, sender);
    return true;
  }

  /** There is a session: it is asked for everything, in order. */
  open(session: NextSession): void {
    for (const waiting of this.#waiting) {
      this.#take(waiting);
      waiting.ask(session);
    }
    this.#look();
  }

  /** There will be none. Answers the events that nobody awaits. */
  close(reasonOf: (op: string) => ZocaloError): readonly LostMessage[] {
    const lost: LostMessage[] = [];
    for (const waiting of this.#waiting) {
      const { name } = waiting.method;
      this.#take(waiting);
      if (waiting.refuse === undefined) lost.push({ kind: "event", method: name, outcome: "not-sent" });
      else waiting.refuse(reasonOf(name));
    }
    this.#look();
    return lost;
  }

  dropOldest(): void {
    for (const waiting of this.#waiting) {
      if (waiting.method.kind !== "event") continue;
      this.#take(waiting);
      this.dropped += 1;
      return;
    }
  }

  #putEvent(method: MethodPlan, { value, bytes, described }: Asked, sender: EventSender | undefined): void {
    const ask = ({ plan, events }: NextSession): void => {
      const sent = events.send(methodOf(plan, method), value, described);
      if (sender !== undefined) sent.then(sender.resolve, sender.reject);
    };
    this.#put({ method, bytes, ask, refuse: sender?.reject });
  }

  #takesCall(bytes: number): boolean {
    const { maxEvents: maxCalls, maxBytes } = AWAITED_BOUNDS;
    return this.#waiting.size - this.size < maxCalls && this.#callBytes + bytes <= maxBytes;
  }

  #putCall(method: MethodPlan, asked: Asked, caller: Caller, context: OperationContext): void {
    const { clock } = this.#settings;
    const { value, bytes, described } = asked;
    const { signal, deadline } = caller;
    const time = new Deadline(clock, { signal, timeoutMs: Math.max(0, deadline - clock.now()) }, (cause) => {
      this.#take(call);
      caller.reject(expiryReason(typeof cause === "number" ? caller.timeoutMs : cause, context, "none"));
      this.#look();
    });
    const call: Waiting = {
      method,
      bytes,
      ask({ plan, calls }) {
        time.cancel();
        // Whoever waits here does not want to be refused for waiting.
        const left = { ...described, signal, timeoutMs: deadline - clock.now(), whileAway: "wait" } as const;
        calls.call(methodOf(plan, method), value, left).then(caller.resolve, caller.reject);
      },
      refuse(reason) {
        time.cancel();
        caller.reject(reason);
      },
    };
    this.#put(call);
  }

  #put(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.#count(waiting, 1);
  }

  #take(waiting: Waiting): void {
    if (this.#waiting.delete(waiting)) this.#count(waiting, -1);
  }

  #count({ method, bytes }: Waiting, sign: 1 | -1): void {
    if (method.kind === "event") {
      this.size += sign;
      this.bytes += sign * bytes;
    } else this.#callBytes += sign * bytes;
  }

  #look(): void {
    if (this.#waiting.size === 0) this.#onEmpty?.();
  }
}

/** The same method in the codec of another session. */
function methodOf({ peer }: CodecPlan, { place }: MethodPlan): MethodPlan {
  return peer.methods[place] as MethodPlan;
}

/** What a method is asked, as its caller gave it: who has given it may use it again. */
function copyOf({ name, request, kind }: MethodPlan, input: unknown, options: RemoteEventOptions | undefined): Asked {
  const head = encodeMetadata(name, options?.metadata);
  const { value, bytes } = request.copy(input);
  return {
    value,
    bytes: (bytes + (head?.length ?? 0)) * DECODED + (kind === "call" ? HELD.nextCall : HELD.nextEvent),
    described: head === undefined ? undefined : { metadata: { ...options?.metadata } },
  };
}

/** What a body of this side asks; undefined when it cannot be read again. */
function readAgain({ request, kind }: MethodPlan, body: BodyPlace, marked: boolean): Asked | undefined {
  const bytes = Buffer.from(body.bytes.subarray(body.start, body.end));
  const head = marked ? decodeMetadata(bytes, 0, bytes.length) : undefined;
  const read = request.reread(bytes, head?.bodyAt ?? 0, bytes.length);
  if (read === undefined) return undefined;
  return {
    value: read.value,
    bytes: bytes.length * DECODED + (kind === "call" ? HELD.nextCall : HELD.nextEvent),
    described: head === undefined ? undefined : { metadata: { ...head.metadata } },
  };
}

function queueFull(op: string): UsageError {
  const detail = "there is no session now, and too many messages wait for the next one; await each call";
  return new UsageError("QUEUE_FULL", { op, detail, outcome: "none" });
}
