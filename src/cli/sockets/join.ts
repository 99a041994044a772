/** A connection joined to stdin and stdout: its bytes, or its messages, one a line. */

import type { CloseOptions, FramedStream, StreamSocket } from "../../index.ts";
import { toCrlf } from "../terminal/crlf.ts";
import { toHexDump } from "../terminal/visible-text.ts";
import type { Output } from "../terminal/output.ts";
import { type DataInput, type DataOutput, PatientInput } from "../terminal/standard-streams.ts";
import { type FramingName, inputMessages, type LineCodec, shownMessage } from "./framing-option.ts";

/** How long closing may take once the person has asked to stop. */
const STOP_LINGER_MS = 200;

/** How bytes are shown and sent. */
export interface JoinOptions {
  /** What messages are, where there are messages. */
  readonly framing?: FramingName | undefined;
  /** Send LF as CR LF. */
  readonly crlf?: boolean | undefined;
  /** Show what arrives as a hexadecimal dump. */
  readonly hex?: boolean | undefined;
  /**
   * What an stdin that ends without a byte means: `end` half-closes; `wait` leaves it to the peer to end, for a server
   * that has nothing to say.
   */
  readonly emptyInput: "end" | "wait";
}

/** What a join has done. */
export interface JoinReport {
  /** Whether stdin was sent to its end. False when the peer ended first and stdin had nothing to say for a while. */
  readonly inputEnded: boolean;
}

/** Where messages come from and go to. */
export interface MessageEnds {
  readonly stdin: DataInput;
  readonly stdout: DataOutput;
  /** Told of a line that was typed and cannot be sent. */
  readonly output: Pick<Output, "warning">;
  readonly stop: AbortSignal;
}

/**
 * Sends stdin to the socket and the socket to stdout until the peer has ended. The end of stdin half-closes. Closes the
 * socket; rejects when the connection was lost, when stdout is closed, or with the reason of `stop`.
 */
export function join(
  socket: StreamSocket,
  input: DataInput,
  output: DataOutput,
  options: JoinOptions,
  stop: AbortSignal,
): Promise<JoinReport> {
  const patient = new PatientInput(input, [stop, socket.signal]);
  const shown = options.hex === true ? toHexDump() : (bytes: Uint8Array) => bytes;
  const sent = options.crlf === true ? toCrlf() : (bytes: Uint8Array) => bytes;
  const send = async (): Promise<boolean> => {
    let empty = true;
    for (let bytes = await patient.read(); bytes !== null; bytes = await patient.read()) {
      if (bytes === "silent") return false;
      empty = false;
      await socket.write(sent(bytes));
    }
    if (!empty || options.emptyInput === "end") await socket.end();
    return true;
  };
  const receive = async (): Promise<void> => {
    for await (const bytes of socket.chunks({ signal: stop })) await output.write(shown(bytes));
  };
  return joinBoth(socket, socket, patient, stop, { send, receive });
}

/**
 * Like `join`, for messages: each line of stdin is sent as one, each that arrives is written as a line. A line that has
 * no form in the codec ends the command; at a terminal it is told of and the next one is tried, since people mistype.
 */
export function joinMessages(
  socket: StreamSocket,
  codec: LineCodec,
  { stdin, stdout, output, stop }: MessageEnds,
  options: JoinOptions,
): Promise<JoinReport> {
  const messages: FramedStream<Uint8Array, Buffer> = socket.framed(codec);
  const patient = new PatientInput(stdin, [stop, socket.signal]);
  const refused = (error: unknown): void => {
    if (!stdin.isTerminal || socket.signal.aborted) throw error;
    output.warning(error);
  };
  const send = async (): Promise<boolean> => {
    const typed = inputMessages(() => patient.read());
    let empty = true;
    for (let next = await typed.next(); next.value !== "silent"; next = await typed.next()) {
      if (next.done === true) {
        if (!empty || options.emptyInput === "end") await socket.end();
        return true;
      }
      empty = false;
      await messages.send(next.value).catch(refused);
    }
    return false;
  };
  const receive = async (): Promise<void> => {
    for await (const message of messages.messages({ signal: stop })) await stdout.write(shownMessage(message, options));
  };
  return joinBoth(socket, messages, patient, stop, { send, receive });
}

/** Both directions of a join. */
interface Directions {
  /** Answers whether stdin came to its end. */
  readonly send: () => Promise<boolean>;
  /** Until the peer has ended. */
  readonly receive: () => Promise<void>;
}

async function joinBoth(
  socket: StreamSocket,
  carrier: { close(options?: CloseOptions): Promise<unknown> },
  patient: PatientInput,
  stop: AbortSignal,
  { send, receive }: Directions,
): Promise<JoinReport> {
  const sending = send();
  let broken: unknown;
  sending.catch((error: unknown) => {
    // When the connection is lost, what had arrived is still shown. When stdin is, there is no point in waiting.
    if (socket.signal.aborted || stop.aborted) return;
    broken = error;
    socket.abort(error);
  });
  try {
    await receive();
    patient.loseInterest();
    const inputEnded = await sending;
    await carrier.close();
    return { inputEnded };
  } catch (error) {
    if (stop.aborted) await carrier.close({ maxLingerMs: STOP_LINGER_MS }).catch(() => undefined);
    else socket.abort(error);
    throw broken ?? error;
  } finally {
    patient.release();
  }
}
