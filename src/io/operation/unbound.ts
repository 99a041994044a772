/** A method that was taken off its object. */

import { UsageError } from "../../core/errors.ts";

/** The error of a method that was called without the object it belongs to: the names of a contract look like functions. */
export function unbound(object: string, method: string): UsageError {
  const detail = `call it on its ${object}, as ${object}.${method}(...); to hand it on, write (...args) => ${object}.${method}(...args)`;
  return new UsageError("OPTION_INVALID", { op: method, detail });
}
