/** The services of `zocalo listen --reply` on connections with `--framing`: an answer to each message. */

import type { FramedSocket, StreamSocket } from "../../index.ts";
import { echoCodec, type FramingName, holdsValues, type LineCodec } from "./framing-option.ts";
import { CHARGEN_PATTERN, type ReplyName, type StreamReply, timeText } from "./replies.ts";

type Messages = FramedSocket<Uint8Array, Buffer>;

/** A service in messages instead of bytes. */
export function messageReply(name: ReplyName, framing: FramingName, codec: LineCodec): StreamReply {
  const written = (text: string): Buffer => Buffer.from(holdsValues(framing) ? JSON.stringify(text) : text);
  return async (socket: StreamSocket, stop: AbortSignal) => {
    const messages = socket.framed(name === "echo" ? echoCodec(framing) : codec);
    if (name === "time") await messages.send(written(timeText()));
    else if (name === "chargen") await chargen(messages, written, stop);
    else await answerEach(messages, name, stop);
  };
}

async function answerEach(messages: Messages, name: "echo" | "upper" | "discard", stop: AbortSignal): Promise<void> {
  try {
    for (;;) {
      const message = await messages.receive({ signal: stop });
      if (message === null) return;
      if (name === "echo") await messages.send(message);
      if (name === "upper") await messages.send(Buffer.from(message.toString().toUpperCase()));
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

/** The lines of the pattern of RFC 864, each a message, until the peer closes; what arrives is thrown away. */
async function chargen(messages: Messages, written: (text: string) => Buffer, stop: AbortSignal): Promise<void> {
  const lines = String(CHARGEN_PATTERN).trimEnd().split("\r\n").map(written);
  const throwingAway = answerEach(messages, "discard", stop).catch(() => undefined);
  try {
    while (!stop.aborted) await messages.sendMany(lines);
  } catch (error) {
    // The peer has seen enough: that is how this service ends.
    if (!messages.signal.aborted) throw error;
  }
  await throwingAway;
}
