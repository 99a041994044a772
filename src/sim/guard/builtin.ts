/**
 * Built-in modules as objects with properties, and what a world changes of the process; the simulator itself must not import modules
 * that reach the network.
 */

import { UsageError } from "../../core/errors.ts";

/** One of them. Throws `UNSUPPORTED` when the runtime does not have it. */
export function builtin(name: string): Record<string, unknown> {
  const found = builtinIfAny(name);
  if (found !== undefined) return found;
  const detail = `this runtime does not give node:${name} to the leak guard; simulate on Node 20.19 or newer`;
  throw new UsageError("UNSUPPORTED", { op: "simulate", detail });
}

/** One that a runtime may lack. */
export function builtinIfAny(name: string): Record<string, unknown> | undefined {
  const load = (process as { getBuiltinModule?: (name: string) => object | undefined }).getBuiltinModule;
  return load?.(`node:${name}`) as Record<string, unknown> | undefined;
}

/** Reads a property as it was before it was replaced. */
export type Read = (self: unknown) => unknown;

/**
 * Replaces `owner[name]` by what `replacementOf` makes of it; the answer puts it back. One that is inherited is replaced on
 * `owner` alone. One that is not there, or must not change so, stays as it is.
 */
export function replaceProperty(
  owner: object,
  name: PropertyKey,
  replacementOf: (read: Read) => PropertyDescriptor,
): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  const property = own ?? inherited(owner, name);
  if (property === undefined) return () => undefined;
  const { enumerable = true } = property;
  const read: Read = (self) => (property.get === undefined ? property.value : property.get.call(self));
  const replacement: PropertyDescriptor = { enumerable, configurable: true, ...replacementOf(read) };
  if (own?.configurable === false) {
    // Writable, as some are in Bun: only the value may change.
    if (own.writable !== true || replacement.get !== undefined) return () => undefined;
    replacement.configurable = false;
  }
  Object.defineProperty(owner, name, replacement);
  return () => {
    if (own === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, own);
  };
}

function inherited(owner: object, name: PropertyKey): PropertyDescriptor | undefined {
  const parent = Object.getPrototypeOf(owner) as object | null;
  if (parent === null) return undefined;
  return Object.getOwnPropertyDescriptor(parent, name) ?? inherited(parent, name);
}

/** What is put up for the first world and taken down with the last: worlds beside each other share one process. */
export class ForWorlds {
  readonly #install: () => readonly (() => void)[];
  #undo: readonly (() => void)[] = [];
  #worlds = 0;

  /** `install` answers what undoes it, which happens from the last to the first. */
  constructor(install: () => readonly (() => void)[]) {
    this.#install = install;
  }

  /** Puts it up for one world. The answer takes it down again, and may be called more than once. */
  raise(): () => void {
    this.#worlds += 1;
    if (this.#worlds === 1) this.#undo = this.#install();
    let raised = true;
    return () => {
      if (raised) this.#worlds -= 1;
      if (raised && this.#worlds === 0) for (const undo of [...this.#undo].reverse()) undo();
      raised = false;
    };
  }
}
