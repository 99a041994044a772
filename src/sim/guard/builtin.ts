/** Built-in modules as objects with properties; the simulator itself must not import those that reach the network. */

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
