/** `zocalo send` on tcp:, tls: and unix:. A message is a line. */

import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { type Address, EndOfStreamError, type StreamSocket, TimeoutError } from "../index.ts";
import { openConnection } from "./open-connection.ts";
import type { CommandContext } from "./run-command.ts";
import type { SendFlags, SendReport } from "./send-flags.ts";
import { showReply, tellNoReply } from "./show-reply.ts";

/** A reply is a line; a longer one is an error, so that a server cannot fill the memory. */
const MAX_REPLY_BYTES = 1_048_576;

/** Sends the messages over one connection, each followed by LF, and waits for a line after each. */
export async function sendMessages(
  address: Address,
  messages: readonly string[],
  flags: SendFlags,
  context: CommandContext,
): Promise<SendReport> {
  const { stop } = context;
  const socket = await openConnection(address, flags, context);
  let sent = 0;
  let replies = 0;
  try {
    for (const message of messages) {
      if (sent > 0 && flags.interval > 0) await delay(flags.interval, undefined, { signal: stop });
      const sentAtMs = performance.now();
      await socket.write(`${message}\n`, { signal: stop });
      sent += 1;
      if (flags.wait === 0) continue;
      const reply = await nextReply(socket, flags.wait, stop);
      if (reply === "late") tellNoReply(address, flags, context);
      if (reply === "ended") break;
      if (typeof reply === "string") continue;
      replies += 1;
      await showReply(reply, address, sentAtMs, flags, context);
    }
    await socket.close();
  } catch (error) {
    socket.abort(error);
    throw stop.aborted ? stop.reason : error;
  }
  return { sent, replies };
}

/** The next line, or what stands before the end of the stream. */
async function nextReply(
  socket: StreamSocket,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Buffer | "late" | "ended"> {
  try {
    return await socket.readUntil("\n", { timeoutMs, signal, maxBytes: MAX_REPLY_BYTES });
  } catch (error) {
    if (error instanceof TimeoutError) return "late";
    if (!(error instanceof EndOfStreamError)) throw error;
    return error.partial.length === 0 ? "ended" : Buffer.from(error.partial);
  }
}
