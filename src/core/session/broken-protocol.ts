/** The error of a peer that breaks the protocol. */

import { ProtocolError } from "../errors.ts";

/** `FRAME_INVALID`: the peer sent what nobody may send. */
export function brokenProtocol(problem: string): ProtocolError {
  return new ProtocolError("FRAME_INVALID", { op: "receive", detail: `the peer broke the protocol: ${problem}` });
}
