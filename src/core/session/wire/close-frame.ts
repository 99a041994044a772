/** The frame that ends a session. */

import { cutText } from "../../peer-error.ts";
import { type ErrorCode, errorCodes } from "../../errors.ts";
import type { MessageFormat } from "../../framing/codec.ts";
import { InvalidContent } from "../../framing/frame-error.ts";
import { json } from "../../framing/formats/json.ts";
import { DEFAULT_LIMITS, type HandshakeLimits } from "../../handshake/limits.ts";
import { CLOSE, HEAD_BYTES, writeU64 } from "./frame-types.ts";

/** What a CLOSE says. */
export interface CloseReason {
  /** Why; empty when the session was closed in order. */
  readonly code: ErrorCode | "";
  /** One sentence. */
  readonly message: string;
}

const MAX_MESSAGE_LENGTH = 1024;

/** Fields that are not known may be any JSON within its limits. */
const BODY: MessageFormat<unknown> = json({ inexact: "round" });

/** What the peer is ready to receive. */
type PeerLimits = Pick<HandshakeLimits, "maxMessageBytes">;

/**
 * A whole frame CLOSE, without its sentence if that makes it longer than what the peer takes: the code it gets always.
 *
 * @param received - The number of the last message that was received.
 */
export function encodeClose(received: number, reason: CloseReason, peer: PeerLimits = DEFAULT_LIMITS): Buffer {
  const { code, message } = reason;
  const whole = JSON.stringify({ code, message: cutText(message, MAX_MESSAGE_LENGTH) });
  const fits = 1 + 8 + Buffer.byteLength(whole) <= peer.maxMessageBytes;
  const body = fits ? whole : JSON.stringify({ code, message: "" });
  const bodyBytes = Buffer.byteLength(body);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + 8 + bodyBytes);
  frame.writeUInt32BE(1 + 8 + bodyBytes, 0);
  frame[4] = CLOSE;
  writeU64(frame, received, HEAD_BYTES);
  frame.write(body, HEAD_BYTES + 8);
  return frame;
}

/** What to write to a connection that another one replaces, before it is closed (docs/semantics.md, rule D3). */
export function encodeTakenOver(received: number, peer?: PeerLimits): Buffer {
  return encodeClose(received, { code: "SESSION_TAKEN_OVER", message: "a newer connection has taken its place" }, peer);
}

/** Reads the body of a CLOSE. A code that is not known is taken for `SESSION_LOST`. */
export function readCloseReason(bytes: Buffer, start: number, end: number): CloseReason {
  const body = BODY.tryDecode?.(bytes, start, end);
  if (typeof body !== "object" || body === null || body instanceof InvalidContent) {
    return { code: "SESSION_LOST", message: "the peer closed the session and did not say why" };
  }
  const { code, message } = body as { readonly code?: unknown; readonly message?: unknown };
  const known = code === "" || errorCodes.includes(code as ErrorCode);
  return {
    code: known ? (code as CloseReason["code"]) : "SESSION_LOST",
    message: typeof message === "string" ? message.slice(0, MAX_MESSAGE_LENGTH) : "",
  };
}
