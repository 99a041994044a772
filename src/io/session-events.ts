/** The events of this side: sent at once where there is room, else by the policy of the session. */

import { UsageError } from "../core/errors.ts";
import type { BodyPlace } from "../core/session/outgoing.ts";
import { WaitingEvents } from "../core/session/waiting-events.ts";
import { handled, rejectedQuietly } from "./handled-rejection.ts";
import { copyOfBody } from "./session-format.ts";
import type { SessionHost } from "./session-host.ts";
import type { MethodPlan } from "./session-plan.ts";

/** What may wait under the policy `block` without being awaited. */
const BLOCK_BOUNDS = { maxEvents: 65_536, maxBytes: 16_777_216 };

interface WaitingEvent {
  readonly method: MethodPlan;
  readonly body: BodyPlace;
  readonly promise: Promise<void> | undefined;
  readonly resolve: (() => void) | undefined;
  readonly reject: ((reason: unknown) => void) | undefined;
}

/** What became of an event: sent, waiting for room, or not taken. */
export type EventFate = "sent" | "waits" | "dropped";

/** The events of this side of one session. */
export class SessionEvents {
  readonly #host: SessionHost;
  #waiting: WaitingEvents<WaitingEvent> | undefined;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  /** Whether no event waits for room. */
  get isEmpty(): boolean {
    return this.#waiting === undefined || this.#waiting.size === 0;
  }

  /** Events that were dropped by the policy. */
  get dropped(): number {
    return this.#waiting?.dropped ?? 0;
  }

  /** Bytes of the events that wait. */
  get heldBytes(): number {
    return this.#waiting?.bytes ?? 0;
  }

  /** Sends an event; undefined when it has its number. */
  send(method: MethodPlan, value: unknown): Promise<void> | undefined {
    const host = this.#host;
    try {
      const place = host.placeOf(method);
      const body = method.request.encode(value);
      if (this.isEmpty && host.machine.sendEvent(place, body, host.turnTime())) {
        host.gathered(body.end - body.start);
        return undefined;
      }
      return this.#wait(method, body);
    } catch (error) {
      return rejectedQuietly(host.end === undefined ? error : host.overError(method.name, "none"));
    }
  }

  /** Sends an event whose body was encoded already, as `broadcast` does: nobody waits for it. */
  post(method: MethodPlan, body: BodyPlace): EventFate {
    const host = this.#host;
    try {
      const place = host.placeOf(method);
      if (this.isEmpty && host.machine.sendEvent(place, body, host.turnTime())) {
        host.gathered(body.end - body.start);
        return "sent";
      }
      host.touch();
      if (host.settings.overflow === "strict") return "dropped";
      const copy = copyOfBody(body);
      const item = { method, body: copy, promise: undefined, resolve: undefined, reject: undefined };
      return this.#queue.offer(item, copy.end, drop) === "waits" ? "waits" : "dropped";
    } catch {
      // The session is over, or the peer's version of the contract has no such event.
      return "dropped";
    }
  }

  /** There may be room: sends what waits, in order. */
  writable(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const host = this.#host;
    const now = host.now();
    for (let first = waiting.first; first !== undefined; first = waiting.first) {
      try {
        if (!host.machine.sendEvent(host.placeOf(first.method), first.body, now)) return;
        first.resolve?.();
      } catch (error) {
        refuse(first, error);
      }
      waiting.shift();
    }
  }

  /** The session is over: nothing that waits was sent. */
  over(): void {
    const waiting = this.#waiting;
    for (let first = waiting?.shift(); first !== undefined; first = waiting?.shift()) {
      refuse(first, this.#host.overError(first.method.name, "none"));
    }
  }

  get #queue(): WaitingEvents<WaitingEvent> {
    const { overflow } = this.#host.settings;
    this.#waiting ??= new WaitingEvents(overflow, overflow === "block" ? BLOCK_BOUNDS : {});
    return this.#waiting;
  }

  #wait(method: MethodPlan, place: BodyPlace): Promise<void> | undefined {
    const host = this.#host;
    host.touch();
    const { overflow } = host.settings;
    if (overflow === "strict") return rejectedQuietly(queueFull(method.name, "there is no room for the event now"));
    const body = copyOfBody(place);
    if (overflow !== "block") {
      // Whoever lets events be dropped does not wait for them.
      this.#queue.offer({ method, body, promise: undefined, resolve: undefined, reject: undefined }, body.end, drop);
      return undefined;
    }
    let resolve: (() => void) | undefined;
    let reject: ((reason: unknown) => void) | undefined;
    const promise = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    if (this.#queue.offer({ method, body, promise, resolve, reject }, body.end, drop) === "waits") return promise;
    return rejectedQuietly(queueFull(method.name, "too many events wait for room; await each one"));
  }
}

/** The event that is dropped has no sender who waits. */
function drop(): void {}

function refuse(event: WaitingEvent, reason: unknown): void {
  if (event.promise !== undefined) void handled(event.promise);
  event.reject?.(reason);
}

function queueFull(op: string, detail: string): UsageError {
  return new UsageError("QUEUE_FULL", { op, detail, outcome: "none" });
}
