/** How a connection ends, and how it is asked to. */

import type { ErrorCode, ZocaloError } from "../../core/errors.ts";
import { FROM_ZERO, OPERATION_RULES, type RulesOf } from "../../core/options/check-options.ts";
import type { OperationOptions } from "../operation/deadline.ts";

/** How a connection came to its end. */
export interface StreamEnd {
  /**
   * `ended`: both sides sent FIN; `closed`: this program closed it; `aborted`: this program reset it; `reset`: the peer
   * or the network did; `timeout`: a limit of this program or of the kernel ran out.
   */
  readonly how: "ended" | "closed" | "aborted" | "reset" | "timeout";
  /** What went wrong; missing after `ended` and `closed`. */
  readonly error?: ZocaloError | undefined;
}

/** The kernel gave up: with what the network told it meanwhile, or without a word (RFC 1122 section 4.2.3.9). */
const GAVE_UP: ReadonlySet<ErrorCode> = new Set([
  "CONNECTION_TIMED_OUT",
  "HOST_UNREACHABLE",
  "NETWORK_UNREACHABLE",
  "CONNECTION_REFUSED",
]);

/** How a connection that the transport has lost came to its end. */
export function howLost(code: ErrorCode): "timeout" | "reset" {
  return GAVE_UP.has(code) ? "timeout" : "reset";
}

/** Options of `StreamSocket.close`. */
export interface CloseOptions extends OperationOptions {
  /**
   * Longest wait in milliseconds in which nothing moves, twice. For the kernel to take what was written, which it does as the
   * peer reads, and in large portions: default 10,000; then `close` rejects with `TIMEOUT` and the connection is reset. And
   * for the peer's FIN after ours, while what the peer still sends is discarded: default 2000, time for the last answer to
   * arrive at a peer that is still sending.
   */
  readonly lingerMs?: number | undefined;
  /**
   * Longest wait in milliseconds for both together, however much moves. Default 300,000: a peer that takes a byte now and
   * then does not hold the connection for ever.
   */
  readonly maxLingerMs?: number | undefined;
  /** Most bytes to discard meanwhile. Default 1 MiB. */
  readonly lingerBytes?: number | undefined;
}

/** What {@link CloseOptions} must look like. */
export const CLOSE_RULES: RulesOf<CloseOptions> = {
  ...OPERATION_RULES,
  lingerMs: FROM_ZERO,
  maxLingerMs: FROM_ZERO,
  lingerBytes: FROM_ZERO,
};
