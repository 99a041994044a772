/**
 * The leak guard: a simulated program that reaches for the real network, the real time or real randomness gets an error,
 * and its run fails. Code outside of worlds is not touched, and when the last world has ended everything is as it was.
 */

import { UsageError } from "../../core/errors.ts";
import { builtin, type GuardedCall, guardedCalls, type LeakCode } from "./guarded-calls.ts";
import { currentScope, type Scope } from "./scope.ts";

type AnyFunction = (...args: unknown[]) => unknown;

let worlds = 0;
let restore: (() => void)[] = [];

/** Puts the guard up for one world; the answer takes it down again, and may be called more than once. */
export function raiseGuard(): () => void {
  worlds += 1;
  if (worlds === 1) install();
  let raised = true;
  return () => {
    if (!raised) return;
    raised = false;
    worlds -= 1;
    if (worlds === 0) remove();
  };
}

function install(): void {
  for (const call of guardedCalls()) {
    const property = Object.getOwnPropertyDescriptor(call.owner, call.name) as PropertyDescriptor;
    // Some globals are made on first use; that is done now, outside of any world.
    const original = (call.owner as Record<string, unknown>)[call.name];
    if (typeof original !== "function") continue;
    const guarded = new Proxy(original as AnyFunction, handlerOf(call));
    const { enumerable = true } = property;
    // Not configurable, but writable, as some are in Bun: only the value may change.
    const form = property.configurable === true ? { enumerable, configurable: true, writable: true } : {};
    Object.defineProperty(call.owner, call.name, { ...form, value: guarded });
    restore.push(() => Object.defineProperty(call.owner, call.name, property));
  }
  syncModules();
}

function remove(): void {
  for (const undo of restore.reverse()) undo();
  restore = [];
  syncModules();
}

/** Lets `import { connect } from "node:net"` see the change too. */
function syncModules(): void {
  const { syncBuiltinESMExports } = builtin("module");
  (syncBuiltinESMExports as () => void)();
}

function handlerOf(call: GuardedCall): ProxyHandler<AnyFunction> {
  return {
    apply(original, self, args: unknown[]) {
      // `Date(0)` as a function tells the present time whatever it gets.
      const error = leakOf(call, undefined);
      if (error === undefined) return Reflect.apply(original, self, args);
      if (call.rejects) return Promise.reject(error);
      throw error;
    },
    construct(original, args: unknown[], newTarget) {
      const error = leakOf(call, args);
      if (error !== undefined) throw error;
      return Reflect.construct(original, args, newTarget) as object;
    },
  };
}

function leakOf(call: GuardedCall, args: readonly unknown[] | undefined): UsageError | undefined {
  const scope = currentScope();
  if (scope === undefined || (args !== undefined && call.harmless?.(args) === true)) return undefined;
  return reportLeak(scope, call.code, call.label);
}

/** Tells a world that one of its programs has left it; the answer is for the program. */
export function reportLeak(scope: Scope, code: LeakCode, label: string): UsageError {
  const advice =
    code === "SIM_LEAK"
      ? "would reach beyond the simulated world; use the network of the simulated host, and crash() to end its program"
      : "would make the run depend on more than its seed; use the clock and the randomness of the simulated host";
  const detail = `${label} ${advice} (seed ${scope.seed})`;
  const error = new UsageError(code, { op: label, local: scope.place, detail });
  scope.leaked(error);
  return error;
}
