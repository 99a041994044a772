/** The methods of an object, and of the peer, when a program takes them off. */

import { UsageError } from "../../core/errors.ts";

/**
 * An object with a function for each method. Each knows where it belongs, so that a program may take it off and pass it on. The
 * object has no prototype: no name is taken.
 */
export function remoteObject<M extends { readonly name: string }>(
  methods: readonly M[],
  functionOf: (method: M, place: number) => (input: unknown, options?: never) => unknown,
): object {
  const remote = Object.create(null) as Record<string, unknown>;
  for (const [place, method] of methods.entries()) remote[method.name] = functionOf(method, place);
  return Object.freeze(remote);
}

/** The error of a method that was called without the object it belongs to: the names of a contract look like functions. */
export function unbound(object: string, method: string): UsageError {
  const detail = `call it on its ${object}, as ${object}.${method}(...); to hand it on, write (...args) => ${object}.${method}(...args)`;
  return new UsageError("OPTION_INVALID", { op: method, detail });
}
