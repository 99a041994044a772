/** A session of a client that has begun, and that `onReady` of the program makes ready: what the rest of the program asks for waits. */

import { AsyncLocalStorage } from "node:async_hooks";
import { TimeoutError } from "../../../core/errors.ts";
import type { Clock } from "../../network/network.ts";
import { Deadline } from "../../operation/deadline.ts";
import { isThenable } from "../../operation/handled-rejection.ts";
import type { SessionGap, SessionGate } from "../gap.ts";

/** What the program has thrown, or its promise was rejected with: anything. */
export type Failure = { readonly reason: unknown } | undefined;

/** Calls `onReady` for one session, and tells when it is done, or has taken too long. */
export class Readiness implements SessionGate {
  readonly gap: SessionGap;
  /** What `onReady` calls, directly or later, is asked inside of it. */
  readonly #inside: AsyncLocalStorage<true> = new AsyncLocalStorage();
  readonly #time: Deadline;
  readonly #done: (failure: Failure) => void;

  /** @param done - Called when `onReady` has settled, when its time is over, or both: the first time counts. */
  constructor(gap: SessionGap, clock: Clock, timeoutMs: number, done: (failure: Failure) => void) {
    this.gap = gap;
    this.#done = done;
    this.#time = new Deadline(clock, { timeoutMs }, () => this.end({ reason: lateError(timeoutMs) }));
  }

  /** Whether it is `onReady`, or a handler that started meanwhile, that asks now: neither waits for itself. */
  get isInside(): boolean {
    return this.#inside.getStore() === true;
  }

  run<T>(call: () => T): T {
    return this.#inside.run(true, call);
  }

  begin(onReady: () => unknown): void {
    try {
      const answer = this.run(onReady);
      if (isThenable(answer)) this.#await(answer);
      else this.end();
    } catch (reason) {
      this.end({ reason });
    }
  }

  /** The connection is lost: its time stands still. */
  detached(): void {
    this.#time.pause();
  }

  /** There is another connection: it has its whole time again. */
  resumed(): void {
    this.#time.renew();
  }

  /** Its session is over. */
  abandon(): void {
    this.#time.cancel();
    this.#inside.disable();
  }

  /** Nobody waits for it any more. */
  end(failure?: Failure): void {
    this.abandon();
    this.#done(failure);
  }

  #await(answer: PromiseLike<unknown>): void {
    Promise.resolve(answer).then(
      () => this.end(),
      (reason: unknown) => this.end({ reason }),
    );
  }
}

function lateError(timeoutMs: number): TimeoutError {
  const detail = `onReady was not done within ${timeoutMs} ms (timeouts.callMs); await in it only what comes to an end`;
  return new TimeoutError("TIMEOUT", { op: "onReady", detail });
}
