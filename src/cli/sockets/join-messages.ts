/** A connection that carries messages, joined to stdin and stdout: one message a line. */

import type { FramedStream, StreamSocket } from "../../index.ts";
import type { Output } from "../terminal/output.ts";
import { type DataInput, PatientInput } from "../terminal/standard-input.ts";
import type { DataOutput } from "../terminal/standard-output.ts";
import { inputMessages, type LineCodec, shownMessage } from "./framing-option.ts";
import { type JoinOptions, type JoinReport, STOP_LINGER_MS } from "./join.ts";

type Messages = FramedStream<Uint8Array, Buffer>;

/** Where messages come from and go to. */
export interface MessageEnds {
  readonly stdin: DataInput;
  readonly stdout: DataOutput;
  /** Told of a message that was typed and cannot be sent. */
  readonly output: Pick<Output, "warning">;
  readonly stop: AbortSignal;
}

/**
 * Like `join`, for messages: each line of stdin is sent as one, each that arrives is written as a line. A line that has
 * no form in the codec ends the command; at a terminal it is told of and the next one is tried, since people mistype.
 */
export async function joinMessages(
  socket: StreamSocket,
  codec: LineCodec,
  { stdin, stdout, output, stop }: MessageEnds,
  options: JoinOptions,
): Promise<JoinReport> {
  const messages = socket.framed(codec);
  const patient = new PatientInput(stdin, [stop, socket.signal]);
  const refused = (error: unknown): void => {
    if (!stdin.isTerminal || socket.signal.aborted) throw error;
    output.warning(error);
  };
  const sending = send(messages, patient, options, refused);
  let broken: unknown;
  sending.catch((error: unknown) => {
    if (socket.signal.aborted || stop.aborted) return;
    broken = error;
    socket.abort(error);
  });
  try {
    await receive(messages, stdout, options, stop);
    patient.loseInterest();
    const inputEnded = await sending;
    await messages.close();
    return { inputEnded };
  } catch (error) {
    if (stop.aborted) await messages.close({ maxLingerMs: STOP_LINGER_MS }).catch(() => undefined);
    else socket.abort(error);
    throw broken ?? error;
  } finally {
    patient.release();
  }
}

async function receive(
  messages: Messages,
  stdout: DataOutput,
  options: JoinOptions,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const message = await messages.receive({ signal });
    if (message === null) return;
    await stdout.write(shownMessage(message, options));
  }
}

/** Answers whether stdin came to its end. */
async function send(
  messages: Messages,
  input: PatientInput,
  options: JoinOptions,
  refused: (error: unknown) => void,
): Promise<boolean> {
  const typed = inputMessages(() => input.read());
  let empty = true;
  for (;;) {
    const { done, value } = await typed.next();
    if (done === true) {
      if (value === "silent") return false;
      break;
    }
    empty = false;
    await messages.send(value).catch(refused);
  }
  if (!empty || options.emptyInput === "end") await messages.socket.end();
  return true;
}
