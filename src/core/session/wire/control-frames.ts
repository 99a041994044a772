/** Frames that are not numbered: they tell how things stand, and the last one of a kind is enough. */

import { brokenProtocol } from "../../peer-error.ts";
import { type CloseReason, readCloseReason } from "./close-frame.ts";
import { ACK, CLOSE, CREDIT, GOAWAY, HEAD_BYTES, PING, PLACE, PONG, readU64, SHARED, writeU64 } from "./frame-types.ts";

/** What a GOAWAY says. */
export interface GoAway {
  /** Whether the session can be continued on another connection. */
  readonly survives: boolean;
  /** When to connect again, in milliseconds; {@link NEVER_MS} for never. */
  readonly retryAfterMs: number;
  /** The number of the last message that is accepted. */
  readonly accepted: number;
}

/** The time of a GOAWAY behind which no other session follows: this one is closed, not the server. */
export const NEVER_MS = 0xffff_ffff;

const FIRST_BYTES = 64;

/** Gathers control frames until they are written. */
export class ControlFrames {
  #bytes: Buffer | undefined;
  #at = 0;
  /** Where the number of an acknowledgement stands that was not written yet; 0 when there is none. */
  #ackAt = 0;

  ack(number: number): void {
    if (this.#ackAt === 0) this.#ackAt = this.#frame(ACK, 8);
    writeU64(this.#buffer, number, this.#ackAt);
  }

  credit(id: number, limitBytes: number): void {
    const at = this.#frame(CREDIT, 12);
    this.#buffer.writeUInt32BE(id, at);
    writeU64(this.#buffer, limitBytes, at + 4);
  }

  ping(): void {
    const at = this.#frame(PING, 8);
    this.#buffer.fill(0, at, at + 8);
  }

  /** @param start - Where the eight bytes of the ping begin. */
  pong(ping: Buffer, start: number): void {
    const at = this.#frame(PONG, 8);
    ping.copy(this.#buffer, at, start, start + 8);
  }

  goAway(say: GoAway): void {
    const at = this.#frame(GOAWAY, 13);
    this.#buffer[at] = say.survives ? 1 : 0;
    this.#buffer.writeUInt32BE(Math.min(NEVER_MS, Math.ceil(say.retryAfterMs)), at + 1);
    writeU64(this.#buffer, say.accepted, at + 5);
    // What is refused from here on is acknowledged as counted: the peer must have heard before that it is not accepted.
    this.#ackAt = 0;
  }

  /** Adds what was gathered to `chunks`, and begins anew. */
  take(chunks: Uint8Array[]): void {
    if (this.#bytes !== undefined && this.#at > 0) chunks.push(this.#bytes.subarray(0, this.#at));
    this.clear();
  }

  /** Forgets what was gathered. */
  clear(): void {
    this.#bytes = undefined;
    this.#at = this.#ackAt = 0;
  }

  get #buffer(): Buffer {
    return this.#bytes as Buffer;
  }

  /** Writes a head; answers where the payload begins. */
  #frame(type: number, payloadBytes: number): number {
    const at = this.#at;
    const end = at + HEAD_BYTES + payloadBytes;
    if (this.#bytes === undefined || end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_BYTES, end * 2));
      this.#bytes?.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#bytes.writeUInt32BE(payloadBytes + 1, at);
    this.#bytes[at + 4] = type;
    this.#at = end;
    return at + HEAD_BYTES;
  }
}

/** Takes what control frames say. Each answers what that means to the program, if anything. */
export interface ControlSink<Told> {
  acked(number: number): Told | undefined;
  credited(id: number, limitBytes: number): void;
  /** The eight bytes begin at `start`. */
  pinged(bytes: Buffer, start: number): void;
  ponged(): void;
  leaving(say: GoAway): void;
  closed(received: number, reason: CloseReason): void;
  /** A message of the log; its method stands at `start`. */
  shared(place: number, bytes: Buffer, start: number, end: number): Told | undefined;
  placed(place: number): void;
}

/** Reads the frame whose type stands at `start`. @throws ProtocolError `FRAME_INVALID`. */
export function readControl<Told>(
  bytes: Buffer,
  start: number,
  end: number,
  sink: ControlSink<Told>,
): Told | undefined {
  const type = bytes[start] as number;
  const at = start + 1;
  const size = end - at;
  if (type === ACK && size === 8) return sink.acked(readU64(bytes, at));
  if (type === SHARED && size >= 10) return sink.shared(readU64(bytes, at), bytes, at + 8, end);
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
  if (type === PLACE && size === 8) {
    sink.placed(readU64(bytes, at));
    return undefined;
  }
  if (type === GOAWAY && size === 13) {
    const survives = bytes[at] !== 0;
    sink.leaving({ survives, retryAfterMs: bytes.readUInt32BE(at + 1), accepted: readU64(bytes, at + 5) });
    return undefined;
  }
  if (type === CLOSE && size >= 8) {
    sink.closed(readU64(bytes, at), readCloseReason(bytes, at + 8, end));
    return undefined;
  }
  throw brokenProtocol(`a frame of type 0x${type.toString(16)} is not known, or has a wrong size`);
}
