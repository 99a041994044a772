/** What became of many datagrams that were sent in one call. */

import type { SendFailure } from "../network/network.ts";

/** What `sendMany` did. */
export interface SendReport {
  /** Datagrams that the kernel has taken. */
  readonly sent: number;
  /** Those that it refused, with their places in the input, in order; empty when it took all. */
  readonly failures: readonly SendFailure[];
}
