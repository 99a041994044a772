/** Whether the code that runs now belongs to a simulated program, and to which. */

import { AsyncLocalStorage } from "node:async_hooks";
import type { ZocaloError } from "../../core/errors.ts";

/** The part of a world that the running code belongs to: the world itself, or one life of a host. */
export interface Scope {
  /** Names the part in errors: `world`, or a host's name. */
  readonly place: string;
  /** The virtual time there, in milliseconds from the start of the world. */
  now(): number;
  /** What decides the run, for errors. */
  readonly seed: number;
  /** The world, for telling two of them apart. */
  readonly world: object;
  /** Told of every leak, so that a program that catches the error still fails. */
  leaked(error: ZocaloError): void;
  /** Told of every rejection that nobody handles, and of every exception that nobody catches. */
  unhandled(reason: unknown): void;
}

const storage = new AsyncLocalStorage<Scope>();

/** The scope of the running code; undefined outside of all worlds. */
export function currentScope(): Scope | undefined {
  return storage.getStore();
}

/** Runs `action`, and all that it sets in motion, within `scope`. */
export function runInScope<T>(scope: Scope, action: () => T): T {
  return storage.run(scope, action);
}

/** Runs `action`, and all that it sets in motion, outside of all worlds. */
export function outsideScope<T>(action: () => T): T {
  return storage.exit(action);
}

/** Leaves the scope for the rest of the running callback. */
export function leaveScope(): void {
  (storage as AsyncLocalStorage<Scope | undefined>).enterWith(undefined);
}
