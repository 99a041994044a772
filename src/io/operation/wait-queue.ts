/** Who waits for the same thing, first come first served. */

import type { Clock } from "../network/network.ts";
import { Deadline, type ReceiveOptions } from "./deadline.ts";

/** A call that waits in one {@link WaitQueue}. It is its own place in the list, so that it leaves without a search. */
export class Waiter<T, Subject = undefined> {
  /** What it asks for, or the loop whose step it is: `withdraw` finds it by that. */
  readonly subject: Subject;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
  deadline: Deadline | undefined = undefined;
  /** Its neighbours; only the queue sets them. */
  previous: this | undefined = undefined;
  next: this | undefined = undefined;

  constructor(subject: Subject, resolve: (value: T) => void, reject: (reason: unknown) => void) {
    this.subject = subject;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** Calls in the order in which they came. Each operation takes the same time however many wait, but for those that concern all. */
export class WaitQueue<W extends Waiter<never, unknown>> {
  first: W | undefined = undefined;
  last: W | undefined = undefined;
  size = 0;

  /** Puts a call at the end. */
  add(waiter: W): void {
    waiter.previous = this.last;
    if (this.last === undefined) this.first = waiter;
    else this.last.next = waiter;
    this.last = waiter;
    this.size += 1;
  }

  /** As `add`, for as long as the options allow: then the call is out of the queue, and `expired` or `ended` answers it. */
  addWithin(
    waiter: W,
    clock: Clock,
    options: ReceiveOptions | undefined,
    expired: (cause: number | AbortSignal) => void,
    ended?: () => void,
  ): void {
    this.add(waiter);
    waiter.deadline = Deadline.of(
      clock,
      options,
      (cause) => {
        this.remove(waiter);
        expired(cause);
      },
      () => {
        this.remove(waiter);
        ended?.();
      },
    );
  }

  /** Takes the first one, to be answered now. */
  take(): W | undefined {
    const { first } = this;
    if (first === undefined) return undefined;
    this.remove(first);
    first.deadline?.cancel();
    return first;
  }

  /** Takes a call out that need not be the first one; its deadline goes on. One that is not in the queue is left alone. */
  remove(waiter: W): void {
    const { previous, next } = waiter;
    if (previous === undefined && this.first !== waiter) return;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    waiter.previous = waiter.next = undefined;
    this.size -= 1;
  }

  /** Takes out all calls with this subject, and resolves them. */
  withdraw<T>(this: WaitQueue<W & Waiter<T, unknown>>, subject: unknown, value: T): void {
    for (let waiter = this.first; waiter !== undefined; ) {
      const { next } = waiter;
      if (waiter.subject === subject) {
        this.remove(waiter);
        waiter.deadline?.cancel();
        waiter.resolve(value);
      }
      waiter = next;
    }
  }

  /** Takes out all calls, and rejects each with the error that is made for it. */
  rejectAll(errorOf: (waiter: W) => unknown): void {
    for (let waiter = this.take(); waiter !== undefined; waiter = this.take()) waiter.reject(errorOf(waiter));
  }
}
