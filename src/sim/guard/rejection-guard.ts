/**
 * Rejections that nobody handles. In a world they are failures of its programs: the run ends with them, and the process of the
 * tests goes on. Those of code outside go where they went before.
 */

import { currentScope } from "./scope.ts";

type Listener = NodeJS.UnhandledRejectionListener;

const EVENT = "unhandledRejection";

/** What runs have failed with already. */
const told = new WeakSet<object>();
let worlds = 0;
let others: readonly Listener[] = [];

/** Watches for one world; the answer ends it, and is to be called once. */
export function watchRejections(): () => void {
  worlds += 1;
  if (worlds === 1) {
    // A runner of tests would count the rejection of a simulated program as a failure of the test.
    others = process.listeners(EVENT);
    process.removeAllListeners(EVENT);
    process.on(EVENT, onRejection);
  }
  return () => {
    worlds -= 1;
    if (worlds > 0) return;
    process.off(EVENT, onRejection);
    for (const listener of others) process.on(EVENT, listener);
    others = [];
  };
}

/** Says that a run has failed with this: that nobody handles it is no news. */
export function noteFailure(error: unknown): void {
  if (typeof error === "object" && error !== null) told.add(error);
}

function onRejection(reason: unknown, promise: Promise<unknown>): void {
  // Not every runtime knows the scope of a rejection.
  if (typeof reason === "object" && reason !== null && told.has(reason)) return;
  const scope = currentScope();
  if (scope !== undefined) scope.rejected(reason);
  // Without a listener such a rejection is an uncaught exception.
  else if (others.length === 0) throw reason;
  else for (const listener of others) listener(reason, promise);
}
