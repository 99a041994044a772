/** What `zocalo listen` can be told on the command line. */

import type { FramingFlags } from "./framing-option.ts";
import type { OutputOptions } from "../terminal/output.ts";
import type { ReplyName } from "./replies.ts";
import type { ServerTlsFlags } from "./tls-flags.ts";

/** The options; the help of the command explains them. */
export interface ListenFlags extends FramingFlags, OutputOptions, ServerTlsFlags {
  readonly reply?: ReplyName;
  readonly exec?: string;
  readonly once?: boolean;
  readonly keepOpen?: boolean;
  readonly public?: boolean;
}
