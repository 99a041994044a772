/** What `zocalo send` can be told on the command line. */

import type { FramingFlags } from "./framing-option.ts";
import type { ConnectFlags } from "./open-connection.ts";
import type { OutputOptions } from "../terminal/output.ts";

/** The options; the help of the command explains them. */
export interface SendFlags extends ConnectFlags, FramingFlags, OutputOptions {
  readonly wait: number;
  readonly count: number;
  readonly interval: number;
}

/** What was sent and what came back. */
export interface SendReport {
  readonly sent: number;
  readonly replies: number;
}
