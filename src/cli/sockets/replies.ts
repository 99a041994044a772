/** The services that `zocalo listen --reply` offers, the classic ones of the Internet and capitals, on connections. */

import type { StreamSocket } from "../../index.ts";

/** All services. */
export const REPLY_NAMES = ["echo", "upper", "time", "discard", "chargen"] as const;

/** What a server answers. */
export type ReplyName = (typeof REPLY_NAMES)[number];

/**
 * Serves one connection. Whoever calls it closes the connection when it returns. Returns soon when `stop` aborts; rejects
 * when the connection is lost.
 */
export type StreamReply = (socket: StreamSocket, stop: AbortSignal) => Promise<void>;

/** The services on a connection. */
export const streamReplies: Readonly<Record<ReplyName, StreamReply>> = { echo, upper, time, discard, chargen };

/** The bytes as they came (RFC 862). */
async function echo(socket: StreamSocket, stop: AbortSignal): Promise<void> {
  for await (const bytes of socket.chunks({ until: stop })) await socket.write(bytes);
}

/** UTF-8 text in capitals. The decoder keeps a letter that was cut between two reads until the rest of it comes. */
async function upper(socket: StreamSocket, stop: AbortSignal): Promise<void> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for await (const bytes of socket.chunks({ until: stop })) {
    await socket.write(decoder.decode(bytes, { stream: true }).toUpperCase());
  }
  // Half a letter at the very end is no letter: it comes out as U+FFFD.
  await socket.write(decoder.decode().toUpperCase());
}

/** The time of day as one line, then the end (RFC 867, in the notation of RFC 3339). */
async function time(socket: StreamSocket): Promise<void> {
  await socket.write(`${timeText()}\r\n`);
}

/** Nothing (RFC 863). */
async function discard(socket: StreamSocket, stop: AbortSignal): Promise<void> {
  for await (const bytes of socket.chunks({ until: stop })) void bytes;
}

/** Lines of changing characters until the peer closes (RFC 864); what arrives is thrown away. */
async function chargen(socket: StreamSocket, stop: AbortSignal): Promise<void> {
  const throwingAway = discard(socket, stop).catch(() => undefined);
  try {
    while (!stop.aborted) await socket.write(CHARGEN_PATTERN);
  } catch (error) {
    // The peer has seen enough: that is how this service ends.
    if (!socket.signal.aborted) throw error;
  }
  await throwingAway;
}

/** The present time, such as `2026-01-31T12:00:00.000Z`. */
export function timeText(): string {
  return new Date().toISOString();
}

const FIRST_PRINTABLE = 0x20;
const PRINTABLE_COUNT = 95;
const CHARGEN_LINE_LENGTH = 72;

/** One round of the pattern of RFC 864: 95 lines, each of which begins one character later than the one before. */
export const CHARGEN_PATTERN: Buffer = Buffer.from(
  Array.from({ length: PRINTABLE_COUNT }, (_line, first) => `${chargenLine(first)}\r\n`).join(""),
);

function chargenLine(first: number): string {
  return Array.from({ length: CHARGEN_LINE_LENGTH }, (_character, index) =>
    String.fromCharCode(FIRST_PRINTABLE + ((first + index) % PRINTABLE_COUNT)),
  ).join("");
}

/** The answer to one datagram; undefined for none. */
type DatagramReply = (question: Buffer) => Buffer | undefined;

/** The services on datagrams. */
export const datagramReplies: Readonly<Record<ReplyName, DatagramReply>> = {
  echo: (question) => question,
  upper: (question) => fitted(new TextDecoder("utf-8", { ignoreBOM: true }).decode(question).toUpperCase(), question),
  time: (question) => fitted(timeText(), question),
  discard: () => undefined,
  chargen: (question) => Buffer.alloc(question.length, CHARGEN_PATTERN),
};

/** A text as bytes, cut between two letters so that it is not longer than the question. */
function fitted(text: string, question: Buffer): Buffer {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, question.length);
  while (end < bytes.length && end > 0 && isContinuation(bytes[end])) end -= 1;
  return bytes.subarray(0, end);
}

/** The second, third or fourth byte of a letter in UTF-8 (RFC 3629 section 3). */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
