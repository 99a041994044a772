/** The error of a peer that breaks the protocol. */

import type { ProtocolError } from "../../errors.ts";
import { peerError } from "../../peer-error.ts";

/** `FRAME_INVALID`: the peer sent what nobody may send. */
export function brokenProtocol(problem: string): ProtocolError {
  return peerError("FRAME_INVALID", { op: "receive", detail: `the peer broke the protocol: ${problem}` });
}
