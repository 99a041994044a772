/** A connection joined to stdin and stdout. */

import type { StreamSocket } from "../../index.ts";
import { toCrlf } from "../terminal/crlf.ts";
import { toHexDump } from "../terminal/hex-dump.ts";
import { type DataInput, PatientInput } from "../terminal/standard-input.ts";
import type { DataOutput } from "../terminal/standard-output.ts";
import type { FramingName } from "./framing-option.ts";

/** How long closing may take once the person has asked to stop. */
export const STOP_LINGER_MS = 200;

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

/**
 * Sends stdin to the socket and the socket to stdout until the peer has ended. The end of stdin half-closes. Closes the
 * socket; rejects when the connection was lost, when stdout is closed, or with the reason of `stop`.
 */
export async function join(
  socket: StreamSocket,
  input: DataInput,
  output: DataOutput,
  options: JoinOptions,
  stop: AbortSignal,
): Promise<JoinReport> {
  const patient = new PatientInput(input, [stop, socket.signal]);
  const sending = send(socket, patient, options);
  let broken: unknown;
  sending.catch((error: unknown) => {
    // When the connection is lost, what had arrived is still shown. When stdin is, there is no point in waiting.
    if (socket.signal.aborted || stop.aborted) return;
    broken = error;
    socket.abort(error);
  });
  try {
    await receive(socket, output, options, stop);
    patient.loseInterest();
    const inputEnded = await sending;
    await socket.close();
    return { inputEnded };
  } catch (error) {
    if (stop.aborted) await socket.close({ maxLingerMs: STOP_LINGER_MS }).catch(() => undefined);
    else socket.abort(error);
    throw broken ?? error;
  } finally {
    patient.release();
  }
}

async function receive(
  socket: StreamSocket,
  output: DataOutput,
  options: JoinOptions,
  signal: AbortSignal,
): Promise<void> {
  const shown = options.hex === true ? toHexDump() : (bytes: Uint8Array) => bytes;
  for (let bytes = await socket.read({ signal }); bytes !== null; bytes = await socket.read({ signal })) {
    await output.write(shown(bytes));
  }
}

/** Answers whether stdin came to its end. */
async function send(socket: StreamSocket, input: PatientInput, options: JoinOptions): Promise<boolean> {
  const sent = options.crlf === true ? toCrlf() : (bytes: Uint8Array) => bytes;
  let empty = true;
  for (let bytes = await input.read(); bytes !== null; bytes = await input.read()) {
    if (bytes === "silent") return false;
    empty = false;
    await socket.write(sent(bytes));
  }
  if (!empty || options.emptyInput === "end") await socket.end();
  return true;
}
