/** The errors of a codec, which knows neither the call nor the connection. */

import { ZocaloError } from "../../core/errors.ts";
import type { OperationContext } from "./deadline.ts";
import { restated } from "./restated.ts";

/** The same error, of the call and the connection of `context`. What a handler has thrown stays as it is. */
export function codecFailure(error: unknown, context: OperationContext): unknown {
  const bare = error instanceof ZocaloError && (error.op === "decode" || error.op === "encode");
  return bare ? restated(error, context, error.outcome) : error;
}
