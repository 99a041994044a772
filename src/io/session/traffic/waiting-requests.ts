/** Requests that wait for room: calls, and streams that are not open yet. */

import { UsageError } from "../../../core/errors.ts";
import { FifoMap } from "../../../core/fifo-map.ts";
import { timeoutError } from "../../operation/deadline.ts";
import type { SessionGap } from "../gap.ts";
import type { SessionEvents } from "./events.ts";
import { mayHold, type SessionPartOwner } from "./owner.ts";

/** Requests that may wait without being awaited, and the memory that they pin. */
const MAX_REQUESTS = 65_536;
const MAX_BYTES = 16_777_216;

/** Something that asks the peer for something new, and can wait until there is room. */
export interface Request {
  /** Names it in errors. */
  readonly op: string;
  /** The time that it was given; Infinity for no end. */
  readonly timeoutMs: number;
  /** When it is given up; Infinity for never. */
  readonly deadline: number;
  /** Memory that it pins while it waits. */
  readonly heldBytes: number;
  /** Gives it to the machine; false when there is no room. Never throws. */
  transmit(now: number): boolean;
  /** Waits for another session; false when it does not. */
  moveTo?(gap: SessionGap): boolean;
  /** It was not sent, and never will be. */
  fail(reason: unknown): void;
}

/** The requests of one session that wait, in the order in which they were made; any of them may be given up. */
export class WaitingRequests {
  /** Memory that they pin. */
  heldBytes = 0;
  /** None is given up before this. */
  nextDeadline: number = Infinity;
  readonly #owner: SessionPartOwner;
  readonly #events: SessionEvents;
  #waiting: FifoMap<Request, true> | undefined;

  constructor(owner: SessionPartOwner, events: SessionEvents) {
    this.#owner = owner;
    this.#events = events;
  }

  get size(): number {
    return this.#waiting?.size ?? 0;
  }
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** Whether something was there before: events and requests are sent in the order in which they were made. */
  get mustWait(): boolean {
    return !this.isEmpty || !this.#events.isEmpty;
  }

  /** Sends a request now if there is room and nothing waits; else it waits. @throws UsageError `QUEUE_FULL`. */
  submit(request: Request): void {
    if (this.mustWait || !request.transmit(this.#owner.now())) this.add(request);
  }

  /** Puts a request at the end. @throws UsageError `QUEUE_FULL`. */
  add(request: Request): void {
    this.#waiting ??= new FifoMap();
    const { size } = this.#waiting;
    const { op, heldBytes, deadline } = request;
    const isFull = size >= MAX_REQUESTS || this.heldBytes + heldBytes > MAX_BYTES;
    if (size > 0 && (isFull || !mayHold(this.#owner, heldBytes))) {
      const detail = `${size} requests, which take ${this.heldBytes} bytes, wait already; await their answers`;
      throw new UsageError("QUEUE_FULL", { op, detail, outcome: "none" });
    }
    this.#waiting.add(request, true);
    this.heldBytes += heldBytes;
    if (deadline < this.nextDeadline) this.nextDeadline = deadline;
    this.#owner.touch();
  }

  /** Takes a request out, if it is there. */
  withdraw(request: Request): void {
    if (this.#waiting?.delete(request) === true) this.heldBytes -= request.heldBytes;
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
      this.heldBytes -= heldBytes;
    }
  }

  /** Gives up those whose time is up. */
  expire(now: number): void {
    const waiting = this.#waiting;
    if (now < this.nextDeadline || waiting === undefined) return;
    this.nextDeadline = Infinity;
    for (const request of waiting.keys()) {
      if (request.deadline > now) {
        if (request.deadline < this.nextDeadline) this.nextDeadline = request.deadline;
        continue;
      }
      this.withdraw(request);
      request.fail(timeoutError(request.timeoutMs, this.#owner.context(request.op), "none"));
    }
  }

  /** The session is over, or its peer takes nothing new: none is sent in it. */
  over(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.heldBytes = 0;
    this.nextDeadline = Infinity;
    const { gap } = this.#owner;
    for (const request of waiting?.keys() ?? []) {
      if (gap === undefined || request.moveTo?.(gap) !== true) request.fail(this.#owner.overError(request.op, "none"));
    }
  }
}
