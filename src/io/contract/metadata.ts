/** Metadata: small pairs of texts that go with one message. `docs/wire-protocol.md` has the bytes. */

import { decodeUtf8, isEncodable } from "../../core/bytes/utf8.ts";
import { UsageError } from "../../core/errors.ts";
import { peerError } from "../../core/peer-error.ts";
import type { BodyPlace } from "../../core/session/outgoing.ts";
import type { OperationOptions } from "../operation/deadline.ts";

/**
 * What goes with one message beside its question: a trace, a tenant, a language. Names are of lower-case letters, digits, `.`, `_` and
 * `-`, 64 at most; values are any text. At most 32 pairs, which have 4,096 bytes together as they are sent.
 */
export type Metadata = Readonly<Record<string, string>>;

/** Accepted by every method of the peer. */
export interface RemoteEventOptions {
  /**
   * Goes with this message; the handler reads it as `context.metadata`. A session whose peer does not know metadata leaves it out,
   * so what must arrive belongs into the question. What is no metadata rejects with `OPTION_INVALID`.
   */
  readonly metadata?: Metadata | undefined;
}

/** Accepted by calls and streams of the peer. */
export interface RemoteCallOptions extends OperationOptions, RemoteEventOptions {}

/** What becomes of a call that is made while the server is away. */
export type WhileAway = "wait" | "reject";

/** Accepted by calls over sessions. */
export interface SessionCallOptions extends RemoteCallOptions {
  /**
   * What becomes of the call when there is no connection now, or the peer is leaving. `wait`: it waits for the next connection, or for
   * the next session, within its time. `reject`: it rejects with `SESSION_AWAY` at once, and nothing was sent. Default: `whileAway` of the
   * client; at a server `wait`.
   */
  readonly whileAway?: WhileAway | undefined;
}

/** The optional part of the protocol that it is. */
export const METADATA_FEATURE = "metadata";
/** In the number of a method: metadata stands before the body. No side offers so many methods. */
export const METADATA_MARK = 0x8000;
/** The place of the method in such a number. */
export const PLACE_BITS = 0x7fff;

/** Of a message that has none. */
export const NO_METADATA: Metadata = Object.freeze(Object.create(null) as Record<string, string>);

const MAX_PAIRS = 32;
const MAX_BYTES = 4096;
const LENGTH_BYTES = 2;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** The bytes that stand before a body; undefined when there is nothing to say. @throws UsageError `OPTION_INVALID`. */
export function encodeMetadata(op: string, metadata: Metadata | undefined): Buffer | undefined {
  if (metadata === undefined) return undefined;
  const pairs = typeof metadata === "object" && metadata !== null ? Object.entries(metadata) : undefined;
  if (pairs === undefined || Array.isArray(metadata)) throw invalid(op, "it must be an object of texts");
  if (pairs.length === 0) return undefined;
  if (pairs.length > MAX_PAIRS) throw invalid(op, `it has ${pairs.length} pairs; at most ${MAX_PAIRS} are sent`);
  const parts: Buffer[] = [Buffer.alloc(LENGTH_BYTES)];
  let bytes = 0;
  for (const [name, value] of pairs) {
    if (!NAME.test(name)) {
      throw invalid(op, `${JSON.stringify(name)} is no name: lower-case letters, digits, ".", "_" and "-", at most 64`);
    }
    if (typeof value !== "string" || !isEncodable(value)) throw invalid(op, `"${name}" must be a text`);
    const valueBytes = Buffer.byteLength(value, "utf8");
    bytes += 1 + name.length + LENGTH_BYTES + valueBytes;
    if (bytes > MAX_BYTES) throw invalid(op, `it has more than ${MAX_BYTES} bytes`);
    const pair = Buffer.alloc(1 + name.length + LENGTH_BYTES + valueBytes);
    pair[0] = name.length;
    pair.write(name, 1, "latin1");
    pair.writeUInt16BE(valueBytes, 1 + name.length);
    pair.write(value, 1 + name.length + LENGTH_BYTES, "utf8");
    parts.push(pair);
  }
  parts[0]?.writeUInt16BE(bytes, 0);
  return Buffer.concat(parts);
}

/** A body with the bytes of metadata before it. The body itself where there are none. */
export function behindMetadata(head: Uint8Array | undefined, body: BodyPlace): BodyPlace {
  if (head === undefined) return body;
  const bytes = Buffer.concat([head, body.bytes.subarray(body.start, body.end)]);
  return { bytes, start: 0, end: bytes.length };
}

/** What stands before a body, and where that begins. */
export interface MetadataHead {
  readonly metadata: Metadata;
  readonly bodyAt: number;
}

/** Reads the metadata at the beginning of `bytes[start, end)`. @throws ProtocolError `FRAME_INVALID`, `FRAME_TOO_LONG`. */
export function decodeMetadata(bytes: Buffer, start: number, end: number): MetadataHead {
  if (end - start < LENGTH_BYTES) throw broken("they are cut");
  const length = bytes.readUInt16BE(start);
  const bodyAt = start + LENGTH_BYTES + length;
  if (length > MAX_BYTES) throw tooMuch(`${length} bytes; at most ${MAX_BYTES} are taken`);
  if (bodyAt > end) throw broken("they are cut");
  const metadata = Object.create(null) as Record<string, string>;
  let pairs = 0;
  for (let at = start + LENGTH_BYTES; at < bodyAt; pairs += 1) {
    if (pairs === MAX_PAIRS) throw tooMuch(`more than ${MAX_PAIRS} pairs`);
    const valueAt = at + 1 + (bytes[at] as number) + LENGTH_BYTES;
    if (valueAt > bodyAt) throw broken("a name is cut");
    const name = bytes.toString("latin1", at + 1, valueAt - LENGTH_BYTES);
    if (!NAME.test(name) || name in metadata) throw broken(`${JSON.stringify(name)} is no name, or comes twice`);
    at = valueAt + bytes.readUInt16BE(valueAt - LENGTH_BYTES);
    const value = at > bodyAt ? undefined : decodeUtf8(bytes, valueAt, at);
    if (value === undefined) throw broken(`the value of "${name}" is cut, or no UTF-8`);
    metadata[name] = value;
  }
  return { metadata: Object.freeze(metadata), bodyAt };
}

function invalid(op: string, problem: string): UsageError {
  return new UsageError("OPTION_INVALID", { op, detail: `metadata cannot be sent: ${problem}`, outcome: "none" });
}

function broken(problem: string): Error {
  return peerError("FRAME_INVALID", {
    op: "receive",
    detail: `the metadata of the message cannot be read: ${problem}`,
  });
}

function tooMuch(what: string): Error {
  return peerError("FRAME_TOO_LONG", { op: "receive", detail: `the metadata of the message has ${what}` });
}
