/** `zocalo send` on tcp:, tls: and unix:. A message is a line, or what `--framing` says. */

import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { type Address, EndOfStreamError, type StreamSocket, TimeoutError } from "../../index.ts";
import { framingOf, type LineCodec } from "./framing-option.ts";
import { openConnection } from "./open-connection.ts";
import type { CommandContext } from "../terminal/run-command.ts";
import type { SendFlags, SendReport } from "./send-flags.ts";
import { showReply, tellNoReply } from "./show-reply.ts";

/** A reply is a line; a longer one is an error, so that a server cannot fill the memory. */
const MAX_REPLY_BYTES = 1_048_576;

/** How messages go out and come back. */
interface Exchange {
  send(message: string, signal: AbortSignal): Promise<void>;
  receive(timeoutMs: number, signal: AbortSignal): Promise<Buffer | null>;
}

/** Sends the messages over one connection, and waits for a reply after each. */
export async function sendMessages(
  address: Address,
  messages: Iterable<string>,
  flags: SendFlags,
  context: CommandContext,
): Promise<SendReport> {
  const { stop } = context;
  const codec = framingOf(flags, String(address));
  const socket = await openConnection(address, flags, context);
  const exchange = codec === undefined ? exchangeLines(socket) : exchangeMessages(socket, codec);
  let sent = 0;
  let replies = 0;
  try {
    for (const message of messages) {
      if (sent > 0 && flags.interval > 0) await delay(flags.interval, undefined, { signal: stop });
      const sentAtMs = performance.now();
      await exchange.send(message, stop);
      sent += 1;
      if (flags.wait === 0) continue;
      const reply = await nextReply(exchange, flags.wait, stop);
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

/** The next reply, or why there is none. */
async function nextReply(
  exchange: Exchange,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Buffer | "late" | "ended"> {
  try {
    return (await exchange.receive(timeoutMs, signal)) ?? "ended";
  } catch (error) {
    if (error instanceof TimeoutError) return "late";
    throw error;
  }
}

/** Lines as they are, with their ends. What stands before the end of the stream is one too. */
function exchangeLines(socket: StreamSocket): Exchange {
  return {
    send: (message, signal) => socket.write(`${message}\n`, { signal }),
    async receive(timeoutMs, signal) {
      try {
        return await socket.readUntil("\n", { timeoutMs, signal, maxBytes: MAX_REPLY_BYTES });
      } catch (error) {
        if (!(error instanceof EndOfStreamError)) throw error;
        return error.partial.length === 0 ? null : Buffer.from(error.partial);
      }
    },
  };
}

function exchangeMessages(socket: StreamSocket, codec: LineCodec): Exchange {
  const messages = socket.framed(codec);
  return {
    send: async (message, signal) => {
      await messages.send(Buffer.from(message), { signal });
      await messages.flush({ signal });
    },
    receive: (timeoutMs, signal) => messages.receive({ timeoutMs, signal }),
  };
}
