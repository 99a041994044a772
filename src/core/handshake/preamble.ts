/** The first bytes of a connection: the magic, and one frame behind it. */

import { copyBytes } from "../bytes/byte-range.ts";
import type { ProtocolError } from "../errors.ts";
import type { Decoder, MessageFormat } from "../framing/codec.ts";
import { InvalidContent } from "../framing/frame-error.ts";
import { json } from "../framing/formats/json.ts";
import { lengthPrefix } from "../framing/boundaries/length-prefix.ts";
import { peerError } from "../peer-error.ts";

/** The version of the wire form. Everything behind the magic may be different in another one. */
export const WIRE_VERSION = 1;

/** What both sides send first: `ZOCALO`, a zero byte, and the version of the wire form. */
export const MAGIC: Buffer = Buffer.from([0x5a, 0x4f, 0x43, 0x41, 0x4c, 0x4f, 0x00, WIRE_VERSION]);

const VERSION_AT = MAGIC.length - 1;

/** Enough of foreign bytes to tell what they are. */
const SAMPLE_BYTES = 16;

/** Types of the frames of the handshake. */
export const HELLO = 0x01;
export const WELCOME = 0x02;
export const REFUSAL = 0x03;

/** Bodies are JSON with its limits: what a stranger sends first must not become more than what he sends. */
const BODY: MessageFormat<unknown> = json();

/**
 * One frame of the handshake, ready to be sent behind the magic. Fields of the body that are undefined are left out.
 *
 * @throws UsageError `FRAME_INVALID`, `FRAME_TOO_LONG`: a value would not arrive as it is.
 */
export function encodeHandshake(type: number, body: object): Buffer {
  const fields = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
  const text = BODY.encode(fields) as string;
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafeSlow(MAGIC.length + 5 + length);
  MAGIC.copy(frame);
  frame.writeUInt32BE(length + 1, MAGIC.length);
  frame[MAGIC.length + 4] = type;
  frame.write(text, MAGIC.length + 5);
  return frame;
}

/** The one frame that a peer sends in the handshake. */
export interface HandshakeFrame {
  readonly type: number;
  /** The version of the wire form that the peer speaks; the body may make no sense in another one. */
  readonly wireVersion: number;
  /** The body, parsed; undefined when the peer speaks another wire form and it is no JSON. */
  readonly body: unknown;
}

/** Reads the magic and one frame. Holds at most the bytes of that frame, and only those that came. */
export class PreambleReader {
  readonly #decoder: Decoder<Uint8Array>;
  readonly #magic: Buffer = Buffer.alloc(MAGIC.length);
  #magicBytes = 0;
  #rest: Buffer = Buffer.alloc(0);
  #frame: HandshakeFrame | undefined;

  /** @param maxFrameBytes - The longest frame that is accepted. */
  constructor(maxFrameBytes: number) {
    this.#decoder = lengthPrefix({ maxFrameBytes }).createDecoder();
  }

  /** Bytes that are held. */
  get heldBytes(): number {
    return this.#magicBytes + this.#decoder.heldBytes + this.#rest.length;
  }

  /** Whether no byte has come yet. */
  get isEmpty(): boolean {
    return this.#magicBytes === 0;
  }

  /** What came behind the frame. */
  takeRest(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }

  /**
   * Takes bytes; answers the frame when it is complete.
   *
   * @throws ProtocolError `PROTOCOL_MISMATCH`, `HANDSHAKE_INVALID`, `FRAME_TOO_LONG`.
   */
  read(bytes: Uint8Array, start: number, end: number): HandshakeFrame | undefined {
    const from = start + this.#readMagic(bytes, start, end);
    if (from === end) return undefined;
    const used = this.#decoder.scan(bytes, from, end, (source, at, to) => {
      const wireVersion = this.#magic[VERSION_AT] as number;
      this.#frame = { type: source[at] ?? 0, wireVersion, body: parse(source, at, to, wireVersion) };
      this.#decoder.stop();
    });
    if (this.#frame !== undefined) this.#rest = Buffer.from(bytes.subarray(from + used, end));
    return this.#frame;
  }

  #readMagic(bytes: Uint8Array, start: number, end: number): number {
    const have = this.#magicBytes;
    const count = Math.min(MAGIC.length - have, end - start);
    copyBytes(bytes, start, start + count, this.#magic, have);
    this.#magicBytes += count;
    for (let index = have; index < have + count; index += 1) {
      if (index < VERSION_AT && this.#magic[index] !== MAGIC[index]) {
        throw mismatch(Buffer.concat([this.#magic.subarray(0, have), bytes.subarray(start, end)]));
      }
    }
    return count;
  }
}

function parse(source: Buffer, start: number, end: number, wireVersion: number): unknown {
  const body = BODY.tryDecode?.(source, start + 1, end);
  if (!(body instanceof InvalidContent)) return body;
  if (wireVersion !== WIRE_VERSION) return undefined;
  const detail = `the handshake must be a JSON object, in UTF-8: ${body.detail}`;
  throw peerError("HANDSHAKE_INVALID", { op: "handshake", detail, cause: body.cause });
}

/** Names a foreign protocol by its first bytes, as far as they came. */
function mismatch(bytes: Buffer): ProtocolError {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const text = sample.toString("latin1");
  let what = `something else (0x${sample.toString("hex")})`;
  // RFC 8446 section 5.1: the first record of a TLS connection is a handshake (22) of version 3.x.
  if (sample[0] === 0x16 && (sample.length === 1 || sample[1] === 0x03))
    what = "TLS; give the server a certificate, or connect without TLS";
  // RFC 9112 sections 3 and 4: a request line begins with a method, a status line with the version.
  else if (/^(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|CONNECT|PATCH|PRI) |^HTTP\//.test(text)) what = "HTTP";
  else if (text.startsWith("SSH-")) what = "SSH";
  else if (/^[\x20-\x7e\r\n\t]+$/.test(text)) what = `text (${JSON.stringify(text)})`;
  const detail = `the peer does not speak zocalo, but ${what}; check the address and the port`;
  return peerError("PROTOCOL_MISMATCH", { op: "handshake", detail });
}
