/**
 * The services of `zocalo listen --reply` on datagrams. Anybody can write any sender on a datagram, so an answer is never
 * longer than its question. What else keeps a service from being used against others is in `serveDatagrams`: it runs with
 * `replies: "guarded"`.
 */

import { CHARGEN_PATTERN, type ReplyName, timeText } from "./replies.ts";

/** The answer to one datagram; undefined for none. */
export type DatagramReply = (question: Buffer) => Buffer | undefined;

/** The services on datagrams. */
export const datagramReplies: Readonly<Record<ReplyName, DatagramReply>> = {
  echo: (question) => question,
  upper: (question) => fitted(new TextDecoder("utf-8", { ignoreBOM: true }).decode(question).toUpperCase(), question),
  time: (question) => fitted(timeText(), question),
  discard: () => undefined,
  chargen: (question) => repeated(CHARGEN_PATTERN, question.length),
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

function repeated(pattern: Buffer, length: number): Buffer {
  return Buffer.alloc(length, pattern);
}
