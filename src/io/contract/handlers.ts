/** The handlers of a program, in the order of its contract. */

import { type Methods, methodNames } from "../../core/contract/contract.ts";
import { UsageError } from "../../core/errors.ts";

/** A handler, whatever its method. */
export type AnyHandler = (input: unknown, ...rest: readonly unknown[]) => unknown;

/** The handlers in the order of the places of their methods: one for each, and none for anything else. */
export function handlersOf(
  own: Methods,
  handlers: Readonly<Record<string, unknown>>,
  op: string,
): readonly AnyHandler[] {
  for (const name of Object.keys(handlers)) {
    if (!Object.hasOwn(own, name))
      throw invalid(op, `there is a handler for "${name}", which this side does not offer`);
  }
  return methodNames(own).map((name) => {
    const handler = handlers[name];
    if (typeof handler === "function") return handler as AnyHandler;
    throw invalid(op, `handlers must have a function for "${name}": nothing may arrive before its handler`);
  });
}

function invalid(op: string, detail: string): UsageError {
  return new UsageError("OPTION_INVALID", { op, detail });
}
