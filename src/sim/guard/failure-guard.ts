/**
 * Rejections that nobody handles, and exceptions that nobody catches. In a world they are failures of its programs: the run
 * ends with them, and the process of the tests goes on. Those of code outside go where they went before.
 */

import { builtin, ForWorlds, replaceProperty } from "./builtin.ts";
import { currentScope, leaveScope, type Scope } from "./scope.ts";

type Listener = (reason: unknown, ...rest: unknown[]) => void;
/** As `once` wraps it, or as it is. */
type AddedListener = Listener & { readonly listener?: Listener };

/** What runs have failed with already. */
const told = new WeakSet<object>();
const events: NodeJS.EventEmitter = process;

/** One event of the process. While it is watched, those who listened before hear only of code outside of worlds. */
class WatchedEvent {
  readonly #name: string;
  readonly #scopeOf: (rest: readonly unknown[]) => Scope | undefined;
  readonly #asIfUnheard: (reason: unknown) => void;
  /** Whoever listened before, by what stands in its place. */
  readonly #others = new Map<unknown, AddedListener>();
  /** What is told now is of a world. */
  #ours = false;

  /** `asIfUnheard` does what the runtime does when nobody listens. */
  constructor(
    name: "unhandledRejection" | "uncaughtException",
    scopeOf: (rest: readonly unknown[]) => Scope | undefined,
    asIfUnheard: (reason: unknown) => void,
  ) {
    this.#name = name;
    this.#scopeOf = scopeOf;
    this.#asIfUnheard = asIfUnheard;
  }

  watch(): void {
    // A runner of tests would count what happens in a simulated program as a failure of the test.
    const before = events.rawListeners(this.#name) as AddedListener[];
    events.removeAllListeners(this.#name);
    events.on(this.#name, this.#onEvent);
    for (const listener of before) events.on(this.#name, this.#standIn(listener));
  }

  stop(): void {
    const now = events.rawListeners(this.#name) as AddedListener[];
    events.removeAllListeners(this.#name);
    for (const listener of now) {
      if (listener !== this.#onEvent) events.on(this.#name, this.#others.get(listener) ?? listener);
    }
    this.#others.clear();
  }

  /** It can be removed as the listener itself. */
  #standIn(original: AddedListener): Listener {
    const once = original.listener !== undefined;
    const standIn: Listener = (reason, ...rest) => {
      if (this.#ours) return;
      if (once) events.off(this.#name, standIn);
      original(reason, ...rest);
    };
    this.#others.set(standIn, original);
    return Object.assign(standIn, { listener: original.listener ?? original });
  }

  readonly #onEvent: Listener = (reason, ...rest) => {
    const scope = this.#scopeOf(rest);
    this.#ours = scope !== undefined || isTold(reason);
    // The runtime goes on behind this listener, with calls that the leak guard watches.
    leaveScope();
    if (scope !== undefined) fail(scope, reason);
    if (!this.#ours && events.listenerCount(this.#name) === 1) this.#asIfUnheard(reason);
  };
}

const rejections = new WatchedEvent(
  "unhandledRejection",
  ([promise]) => birthScopeOf(promise),
  (reason) => {
    // It is an uncaught exception then.
    throw reason;
  },
);
const exceptions = new WatchedEvent("uncaughtException", currentScope, (reason) => {
  // It ends the process then.
  exceptions.stop();
  process.nextTick(() => {
    throw reason;
  });
});

const watch = new ForWorlds(() => {
  rejections.watch();
  exceptions.watch();
  return [() => rejections.stop(), () => exceptions.stop(), noteBirths(), guardMicrotasks()];
});

/** Watches for one world; the answer ends it. */
export function watchFailures(): () => void {
  return watch.raise();
}

/** Says that a run has failed with this: that nobody handles it is no news. */
export function noteFailure(error: unknown): void {
  if (typeof error === "object" && error !== null) told.add(error);
}

function isTold(reason: unknown): boolean {
  return typeof reason === "object" && reason !== null && told.has(reason);
}

function fail(scope: Scope, reason: unknown): void {
  if (!isTold(reason)) scope.unhandled(reason);
}

/** On a promise: where it was made. */
const birth: unique symbol = Symbol("zocalo.sim.birth");
let birthsAreNoted = false;

/** A promise may be rejected elsewhere, behind the end of the program that made it; Node 24 and newer know only where. */
function noteBirths(): () => void {
  const { node, bun } = process.versions;
  // Bun has nothing but the name of the hook.
  if (Number.parseInt(node, 10) < 24 || bun !== undefined) return () => undefined;
  const { promiseHooks } = builtin("v8") as {
    promiseHooks?: { onInit?: (hook: (promise: { [birth]?: Scope }) => void) => () => void };
  };
  const stop = promiseHooks?.onInit?.((promise) => {
    const scope = currentScope();
    if (scope !== undefined) promise[birth] = scope;
  });
  birthsAreNoted = stop !== undefined;
  return stop ?? (() => undefined);
}

function birthScopeOf(promise: unknown): Scope | undefined {
  return birthsAreNoted ? (promise as { readonly [birth]?: Scope })[birth] : currentScope();
}

/** Some runtimes have forgotten the scope of a microtask by the time that they tell of its exception. */
function guardMicrotasks(): () => void {
  return replaceProperty(globalThis, "queueMicrotask", (read) => ({
    writable: true,
    value(task: () => void): void {
      const original = read(globalThis) as typeof queueMicrotask;
      const scope = currentScope();
      if (scope === undefined || typeof task !== "function") return original(task);
      original(() => {
        try {
          task();
        } catch (error) {
          fail(scope, error);
        }
      });
    },
  }));
}
