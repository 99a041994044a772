/** A reply to `zocalo send`: its bytes on stdout, its sender and its time on stderr. */

import { performance } from "node:perf_hooks";
import type { Address } from "../../index.ts";
import { toHexDump } from "../terminal/hex-dump.ts";
import type { CommandContext } from "../terminal/run-command.ts";
import { asLine, quantity } from "../terminal/visible-text.ts";
import { shownMessage } from "./framing-option.ts";
import type { SendFlags } from "./send.ts";

/** Shows a reply to what was sent at `sentAtMs`. */
export async function showReply(
  reply: Buffer,
  from: Address,
  sentAtMs: number,
  flags: SendFlags,
  { output, stdout }: CommandContext,
): Promise<void> {
  const rttMs = Number((performance.now() - sentAtMs).toFixed(3));
  output.say(
    { event: "reply", from: String(from), bytes: reply.length, rttMs },
    output.colours.dim(`reply from ${String(from)} in ${rttMs.toFixed(2)} ms, ${quantity(reply.length, "byte")}`),
  );
  if (flags.framing !== undefined) await stdout.write(shownMessage(reply, flags));
  else await stdout.write(flags.hex === true ? toHexDump()(reply) : asLine(reply));
}

/** Tells that nothing came back for one message. */
export function tellNoReply(to: Address, flags: SendFlags, { output }: CommandContext): void {
  output.detail({ event: "no-reply", to: String(to), waitMs: flags.wait }, `no reply within ${flags.wait} ms`);
}
