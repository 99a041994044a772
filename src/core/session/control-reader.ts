/** Reading the frames that are not numbered. */

import { brokenProtocol } from "./wire/broken-protocol.ts";
import { type CloseReason, readCloseReason } from "./wire/close-frame.ts";
import type { GoAway } from "./wire/control-frames.ts";
import { ACK, CLOSE, CREDIT, GOAWAY, PING, PONG, readU64 } from "./wire/frame-types.ts";
import type { SessionEvent } from "./event.ts";

/** Takes what control frames say. Each answers what that means to the program, if anything. */
export interface ControlSink {
  acked(number: number): SessionEvent | undefined;
  credited(id: number, limitBytes: number): void;
  /** The eight bytes begin at `start`. */
  pinged(bytes: Buffer, start: number): void;
  ponged(): void;
  leaving(say: GoAway): SessionEvent;
  closed(received: number, reason: CloseReason): void;
}

/**
 * Reads the frame whose type stands at `start`.
 *
 * @throws ProtocolError `FRAME_INVALID`.
 */
export function readControl(bytes: Buffer, start: number, end: number, sink: ControlSink): SessionEvent | undefined {
  const type = bytes[start] as number;
  const at = start + 1;
  const size = end - at;
  if (type === ACK && size === 8) return sink.acked(readU64(bytes, at));
  if (type === CREDIT && size === 12) {
    sink.credited(bytes.readUInt32BE(at), readU64(bytes, at + 4));
    return undefined;
  }
  if (type === PING && size === 8) {
    sink.pinged(bytes, at);
    return undefined;
  }
  if (type === PONG && size === 8) {
    sink.ponged();
    return undefined;
  }
  if (type === GOAWAY && size === 13) {
    const survives = bytes[at] !== 0;
    return sink.leaving({ survives, retryAfterMs: bytes.readUInt32BE(at + 1), accepted: readU64(bytes, at + 5) });
  }
  if (type === CLOSE && size >= 8) {
    sink.closed(readU64(bytes, at), readCloseReason(bytes, at + 8, end));
    return undefined;
  }
  throw brokenProtocol(`a frame of type 0x${type.toString(16)} is not known, or has a wrong size`);
}
