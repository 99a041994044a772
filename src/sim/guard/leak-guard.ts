/**
 * The leak guard: a simulated program that reaches for the real network, the real time or real randomness gets an error,
 * and its run fails. Code outside of worlds is not touched, and when the last world has ended everything is as it was.
 */

import { UsageError } from "../../core/errors.ts";
import { builtin, ForWorlds, type Read, replaceProperty } from "./builtin.ts";
import type { GuardedCall, LeakCode, Use } from "./guarded-call.ts";
import { guardedCalls } from "./guarded-calls.ts";
import { currentScope, type Scope } from "./scope.ts";

type AnyFunction = (...args: unknown[]) => unknown;

/** Made once: it takes longer than a small world. */
let calls: readonly GuardedCall[] | undefined;

const guard = new ForWorlds(() => {
  // Made on first use: what is printed in a world must not be the first.
  void [process.stdout, process.stderr];
  calls ??= guardedCalls();
  const undo = [syncModules, ...calls.flatMap(guardCall), guardAsyncResources()];
  syncModules();
  return undo;
});

/** Puts the guard up for one world; the answer takes it down again, and may be called more than once. */
export function raiseGuard(): () => void {
  return guard.raise();
}

function guardCall(call: GuardedCall): (() => void)[] {
  const { what, owner, name } = call;
  if (what === "read") return [replaceProperty(owner, name, (read) => reader(call, read))];
  if (what !== "call what is read") return guardFunction(call);
  return [replaceProperty(owner, name, (read) => readerOfFunctions(call, read))];
}

/** Lets `import { connect } from "node:net"` see the change too. */
function syncModules(): void {
  const { syncBuiltinESMExports } = builtin("module");
  (syncBuiltinESMExports as () => void)();
}

function guardFunction(call: GuardedCall): (() => void)[] {
  const { owner, name } = call;
  // Some globals are made on first use; that is done now, outside of any world.
  const original = (owner as Record<PropertyKey, unknown>)[name];
  if (typeof original !== "function") return [];
  const guarded = guardedFunction(call, original as AnyFunction);
  const replaceIn = (of: object, what: PropertyKey): (() => void) =>
    replaceProperty(of, what, () => ({ writable: true, value: guarded }));
  const undo = replaceIn(owner, name);
  // An object leads to its class: `new (new Date(0).constructor)()`.
  const { prototype } = original as { readonly prototype?: object };
  return prototype?.constructor === original ? [undo, replaceIn(prototype, "constructor")] : [undo];
}

function guardedFunction(call: GuardedCall, original: AnyFunction): AnyFunction {
  return new Proxy(original, {
    apply(target, self, args: unknown[]) {
      const error = leakOf(call, { args, self, isNew: false });
      if (error === undefined) return Reflect.apply(target, self, args);
      if (call.rejects === true) return Promise.reject(error);
      throw error;
    },
    construct(target, args: unknown[], newTarget) {
      const error = leakOf(call, { args, self: undefined, isNew: true });
      if (error !== undefined) throw error;
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
}

/** Of a property that must not be read. */
function reader(call: GuardedCall, read: Read): PropertyDescriptor {
  return {
    get(this: unknown) {
      const error = leakOf(call, { args: [], self: this, isNew: false });
      if (error !== undefined) throw error;
      return read(this);
    },
  };
}

/** Of a property that may be read, and gives a function that must not be called. */
function readerOfFunctions(call: GuardedCall, read: Read): PropertyDescriptor {
  const known: WeakMap<AnyFunction, AnyFunction> = new WeakMap();
  return {
    get(this: unknown) {
      const original = read(this) as AnyFunction;
      if (currentScope() === undefined) return original;
      const guarded = known.get(original) ?? guardedFunction(call, original);
      known.set(original, guarded);
      return guarded;
    },
  };
}

/** What is bound to a resource that was made outside runs outside, where nobody guards it. */
function guardAsyncResources(): () => void {
  const { AsyncResource } = builtin("async_hooks") as { AsyncResource: { readonly prototype: object } };
  return replaceProperty(AsyncResource.prototype, "runInAsyncScope", (read) => ({
    writable: true,
    value(this: unknown, action: AnyFunction, self: unknown, ...args: unknown[]): unknown {
      const original = read(this) as AnyFunction;
      const scope = currentScope();
      if (scope === undefined) return Reflect.apply(original, this, [action, self, ...args]);
      const within = function (this: unknown, ...given: unknown[]): unknown {
        if (currentScope()?.world === scope.world) return Reflect.apply(action, this, given);
        throw reportLeak(scope, "SIM_LEAK", "AsyncResource.runInAsyncScope");
      };
      return Reflect.apply(original, this, [within, self, ...args]);
    },
  }));
}

function leakOf(call: GuardedCall, use: Use): UsageError | undefined {
  const scope = currentScope();
  if (scope === undefined || call.harmless?.(use) === true) return undefined;
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
