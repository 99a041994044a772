/**
 * Rejections that nobody handles, and exceptions that nobody catches. In a world they are failures of its programs: the run
 * ends with them, and the process of the tests goes on. Those of code outside go where they went before. What is thrown in a
 * `queueMicrotask` has lost its scope on some runtimes, and counts as outside there.
 */

import { currentScope, leaveScope } from "./scope.ts";

type Listener = (reason: unknown, ...rest: unknown[]) => void;

/** What runs have failed with already. */
const told = new WeakSet<object>();
const events: NodeJS.EventEmitter = process;
let worlds = 0;

/** One event of the process. While it is watched, those who listened before hear only of code outside of worlds. */
class WatchedEvent {
  readonly #name: string;
  readonly #asIfUnheard: (reason: unknown) => void;
  #others: readonly Listener[] = [];

  /** `asIfUnheard` does what the runtime does when nobody listens. */
  constructor(name: "unhandledRejection" | "uncaughtException", asIfUnheard: (reason: unknown) => void) {
    this.#name = name;
    this.#asIfUnheard = asIfUnheard;
  }

  watch(): void {
    // A runner of tests would count what happens in a simulated program as a failure of the test.
    this.#others = events.listeners(this.#name) as Listener[];
    events.removeAllListeners(this.#name);
    events.on(this.#name, this.#onEvent);
  }

  stop(): void {
    events.off(this.#name, this.#onEvent);
    for (const listener of this.#others) events.on(this.#name, listener);
    this.#others = [];
  }

  readonly #onEvent: Listener = (reason, ...rest) => {
    // Not every runtime knows the scope of a rejection.
    if (typeof reason === "object" && reason !== null && told.has(reason)) return;
    const scope = currentScope();
    if (scope !== undefined) {
      // The runtime goes on behind this listener, with calls that the leak guard watches.
      leaveScope();
      scope.failed(reason);
    } else if (this.#others.length === 0) this.#asIfUnheard(reason);
    else for (const listener of this.#others) listener(reason, ...rest);
  };
}

const rejections = new WatchedEvent("unhandledRejection", (reason) => {
  // It is an uncaught exception then.
  throw reason;
});
const exceptions = new WatchedEvent("uncaughtException", (reason) => {
  // It ends the process then.
  exceptions.stop();
  process.nextTick(() => {
    throw reason;
  });
});

/** Watches for one world; the answer ends it, and is to be called once. */
export function watchFailures(): () => void {
  worlds += 1;
  if (worlds === 1) {
    rejections.watch();
    exceptions.watch();
  }
  return () => {
    worlds -= 1;
    if (worlds > 0) return;
    rejections.stop();
    exceptions.stop();
  };
}

/** Says that a run has failed with this: that nobody handles it is no news. */
export function noteFailure(error: unknown): void {
  if (typeof error === "object" && error !== null) told.add(error);
}
