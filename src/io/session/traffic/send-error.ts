/** How a session tells its peer of an error. */

import type { RemoteError } from "../../../core/contract/remote-error.ts";
import { ERROR_FORMS, errorBody } from "../../contract/error-body.ts";
import type { SessionHost } from "./host.ts";

/** Ends a call or a stream of the peer with an error, in the longest form that can be sent. */
export function sendError(host: SessionHost, id: number, error: RemoteError): void {
  if (host.end !== undefined) return;
  const now = host.turnTime();
  for (let form = 0; form < ERROR_FORMS; form += 1) {
    try {
      host.machine.fail(id, errorBody(error, form), now);
      break;
    } catch (problem) {
      // Its data cannot be sent, or is longer than what the peer takes.
      host.problem(problem);
    }
  }
  host.touch();
}
