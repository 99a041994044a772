/** The events of this side: sent at once where there is room, else by the policy of the session. */

import { ConnectionError, UsageError } from "../../../core/errors.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { AWAITED_BOUNDS, type EventQueue, makeRoom, POSTED_BOUNDS } from "../../../core/session/waiting-events.ts";
import { EVENT_RULES, refusedAtOnce } from "../../operation/deadline.ts";
import { FULFILLED, rejectedQuietly } from "../../operation/handled-rejection.ts";
import type { SessionGap } from "../gap.ts";
import { PackedSends, type Sender } from "./packed-sends.ts";
import { mayHold, type SessionPartOwner } from "./owner.ts";
import { behindMetadata, METADATA_MARK, type RemoteEventOptions } from "../../contract/metadata.ts";
import type { MethodPlan } from "../../contract/plan.ts";

/** What became of an event: sent, waiting for room, or not taken. */
export type EventFate = "sent" | "waits" | "dropped";

/** The events of this side of one session. */
export class SessionEvents implements EventQueue {
  readonly #owner: SessionPartOwner;
  #waiting: PackedSends | undefined;
  /** Events that were dropped by the policy, or because nobody waits for them and many wait already. */
  dropped = 0;

  constructor(owner: SessionPartOwner) {
    this.#owner = owner;
  }

  /** Events that wait for room. */
  get size(): number {
    return this.#waiting?.size ?? 0;
  }

  /** Memory that they pin. */
  get bytes(): number {
    return this.#waiting?.bytes ?? 0;
  }

  /** Memory that is held for them. */
  get heldBytes(): number {
    return this.#waiting?.heldBytes ?? 0;
  }

  /** Whether no event waits for room. */
  get isEmpty(): boolean {
    return this.#waiting === undefined || this.#waiting.size === 0;
  }

  /** When an event has waited for too long, and no line is to blame; Infinity when none waits. */
  get nextDeadline(): number {
    const { oldestAt = Infinity } = this.#waiting ?? {};
    const { machine, settings } = this.#owner;
    return Math.max(oldestAt, machine.arrivedAt) + settings.replay.maxAgeMs;
  }

  /** Sends an event. Resolves when it has its number, or is dropped. */
  send(method: MethodPlan, value: unknown, options?: RemoteEventOptions): Promise<void> {
    if (options !== undefined || method.volatile) return this.#sendOther(method, value, options);
    const owner = this.#owner;
    if (owner.gate !== undefined && !owner.gate.isInside) return this.#sendLater(method, value, undefined, undefined);
    try {
      const place = owner.placeOf(method);
      const body = method.request.encode(value);
      if (this.isEmpty && owner.machine.sendEvent(place, body, owner.turnTime())) {
        owner.gathered(body.end - body.start);
        return FULFILLED;
      }
      return this.#wait(method, place, body);
    } catch (error) {
      return this.#failed(method, value, undefined, error);
    }
  }

  // Apart, since most events have no options, and few are volatile: what runs for each is small enough to be inlined.
  #sendOther(method: MethodPlan, value: unknown, options: RemoteEventOptions | undefined): Promise<void> {
    if (method.volatile && this.#owner.terms.machine.moves === true) return this.#say(method, value, options);
    return this.#describe(method, value, options);
  }

  #failed(method: MethodPlan, value: unknown, options: RemoteEventOptions | undefined, error: unknown): Promise<void> {
    const owner = this.#owner;
    const reason = owner.end === undefined ? error : owner.overError(method.name, "none");
    return this.#sendLater(method, value, options, reason);
  }

  /** The same with metadata. */
  #describe(method: MethodPlan, value: unknown, options: RemoteEventOptions | undefined): Promise<void> {
    const owner = this.#owner;
    const refused = options && refusedAtOnce(options, () => owner.context(method.name), EVENT_RULES);
    if (refused !== undefined) return rejectedQuietly(refused.reason);
    if (owner.gate !== undefined && !owner.gate.isInside) return this.#sendLater(method, value, options, undefined);
    try {
      const head = owner.terms.metadataOf(method, options);
      const place = owner.placeOf(method) | (head === undefined ? 0 : METADATA_MARK);
      const body = behindMetadata(head, method.request.encode(value));
      if (!this.isEmpty || !owner.machine.sendEvent(place, body, owner.turnTime()))
        return this.#wait(method, place, body);
      owner.gathered(body.end - body.start);
      return FULFILLED;
    } catch (error) {
      return this.#failed(method, value, options, error);
    }
  }

  /** One that may be lost: it is sent now or never. */
  #say(method: MethodPlan, value: unknown, options: RemoteEventOptions | undefined): Promise<void> {
    const owner = this.#owner;
    try {
      const refused = options && refusedAtOnce(options, () => owner.context(method.name), EVENT_RULES);
      if (refused !== undefined) return rejectedQuietly(refused.reason);
      const head = owner.terms.metadataOf(method, options);
      const place = owner.placeOf(method) | (head === undefined ? 0 : METADATA_MARK);
      // Nothing waits until the session is ready.
      if (owner.gate !== undefined && !owner.gate.isInside) this.dropped += 1;
      else this.#sayBody(place, behindMetadata(head, method.request.encode(value)));
      return FULFILLED;
    } catch (error) {
      if (owner.end === undefined) return rejectedQuietly(error);
      return owner.gap === undefined ? rejectedQuietly(owner.overError(method.name, "none")) : FULFILLED;
    }
  }

  #sayBody(place: number, body: BodyPlace): EventFate {
    const owner = this.#owner;
    if (owner.machine.sayVolatile(place, body)) {
      owner.gathered(body.end - body.start);
      return "sent";
    }
    this.dropped += 1;
    return "dropped";
  }

  /** In the next session of a client, if one follows, or when this one is ready. */
  #sendLater(
    method: MethodPlan,
    value: unknown,
    options: RemoteEventOptions | undefined,
    reason: unknown,
  ): Promise<void> {
    try {
      const { gate } = this.#owner;
      const gap = gate?.isInside === true ? undefined : (this.#owner.gap ?? gate?.gap);
      return gap === undefined ? rejectedQuietly(reason) : gap.event(method, value, options);
    } catch (error) {
      return rejectedQuietly(error);
    }
  }

  /** Sends an event whose body was encoded already, as `broadcast` does: nobody waits for it. */
  post(method: MethodPlan, body: BodyPlace): EventFate {
    const owner = this.#owner;
    try {
      const place = owner.placeOf(method);
      if (method.volatile && owner.terms.machine.moves === true) return this.#sayBody(place, body);
      if (this.isEmpty && owner.machine.sendEvent(place, body, owner.turnTime())) {
        owner.gathered(body.end - body.start);
        return "sent";
      }
      owner.touch();
      return this.#post(place, body) ? "waits" : "dropped";
    } catch {
      // The session is over, or the peer's version of the contract has no such event.
      return "dropped";
    }
  }

  /** There may be room: sends what waits, in order. */
  writable(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const { queue } = waiting;
    const owner = this.#owner;
    const now = owner.now();
    while (queue.peek()) {
      try {
        if (!owner.machine.sendEvent(queue.method, queue, now)) return;
        waiting.shift();
      } catch (error) {
        this.#refuse(waiting, error);
      }
    }
  }

  /** Ends the session when an event has waited for too long: a peer that takes none is none to wait for. */
  expire(now: number): void {
    if (now < this.nextDeadline) return;
    const { machine, settings } = this.#owner;
    const detail = `the peer took no event for ${settings.replay.maxAgeMs} ms (resume.maxReplayAgeMs); the session is over`;
    machine.close(detail, now, new ConnectionError("REPLAY_OVERFLOW", { op: "session", detail }));
  }

  /** The session is over, or its peer takes nothing new: nothing that waits was sent. */
  over(): void {
    const waiting = this.#waiting;
    const { gap } = this.#owner;
    while (waiting?.queue.peek() === true) {
      const { queue } = waiting;
      if (gap !== undefined && waiting.handOver((sender) => this.carry(queue.method, queue, sender, gap))) continue;
      this.#refuse(waiting, this.#owner.overError(this.#nameOf(waiting.queue.method), "none"));
    }
  }

  /** An event was not sent: answers whether it waits for another session. */
  carry(number: number, body: BodyPlace, sender: Sender | undefined, gap: SessionGap): boolean {
    const method = this.#owner.terms.methodOf(number);
    return method !== undefined && gap.carryEvent(method, body, (number & METADATA_MARK) !== 0, sender);
  }

  /** The first one is not sent: its sender is told, or where none waits, the end of the session tells it. */
  #refuse(waiting: PackedSends, reason: unknown): void {
    const name = this.#nameOf(waiting.queue.method);
    if (!waiting.refuse(reason)) this.#owner.unsent(name);
  }

  dropOldest(): void {
    if (this.#waiting?.queue.peek() !== true) return;
    this.#waiting.shift();
    this.dropped += 1;
  }

  #nameOf(place: number): string {
    return this.#owner.terms.nameOf(place) as string;
  }

  /** Lets an event wait for which nobody waits; false when it is dropped. */
  #post(place: number, body: BodyPlace): boolean {
    const owner = this.#owner;
    const { overflow } = owner.settings;
    const bytes = PackedSends.bytesOf(body.end - body.start, false);
    // What the blocks have beside their messages is no message that could make room.
    const fits = (more: number): boolean => mayHold(owner, more - (this.heldBytes - this.bytes));
    if (overflow === "strict" || !makeRoom(this, POSTED_BOUNDS, overflow, bytes, fits)) {
      this.dropped += 1;
      return false;
    }
    this.#waiting ??= new PackedSends();
    this.#waiting.post(place, body, owner.turnTime());
    return true;
  }

  #wait(method: MethodPlan, place: number, body: BodyPlace): Promise<void> {
    const owner = this.#owner;
    owner.touch();
    const { overflow } = owner.settings;
    if (overflow === "strict") return rejectedQuietly(queueFull(method.name, "there is no room for the event now"));
    if (overflow !== "block") {
      // Whoever lets events be dropped does not wait for them.
      this.#post(place, body);
      return FULFILLED;
    }
    const bytes = PackedSends.bytesOf(body.end - body.start, true);
    if (!this.isEmpty && !(makeRoom(this, AWAITED_BOUNDS, overflow, bytes) && mayHold(owner, bytes))) {
      const detail = `${this.size} events, which take ${this.bytes} bytes, wait for room already; await each one`;
      return rejectedQuietly(queueFull(method.name, detail));
    }
    this.#waiting ??= new PackedSends();
    return this.#waiting.push(place, body, owner.turnTime());
  }
}

function queueFull(op: string, detail: string): UsageError {
  return new UsageError("QUEUE_FULL", { op, detail, outcome: "none" });
}
