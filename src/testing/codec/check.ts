/** What the parts of the codec suite share: what a codec is tested with, and ways to encode and decode. */

import assert from "node:assert/strict";
import { ByteWriter } from "../../core/bytes/byte-writer.ts";
import { ProtocolError, type ZocaloError } from "../../core/errors.ts";
import type { Codec, Decoder } from "../../core/framing/codec.ts";
import { assertErrorShape } from "../expect-error.ts";

/** What the codec suite has to know of a codec. */
export interface CodecSuiteOptions<In, Out = In> {
  /** Messages of different sizes, the smallest and the oddest that are allowed among them. At least three. */
  readonly messages: readonly In[];
  /**
   * A message of about so many bytes; for a codec whose messages all have one size, one of those; for nested messages, one of
   * as many parts as it can have, since a codec that begins anew with every piece shows there.
   */
  sized(bytes: number): In;
  /** What arrives when a message was sent. Default: the same message. */
  readonly arrives?: ((message: In) => Out) | undefined;
  /** Messages and how they look on the wire, from the specification of the format. */
  readonly vectors?: readonly { readonly message: In; readonly wire: Uint8Array }[] | undefined;
  /** Bytes that are received although nobody here sends them, and what they mean. */
  readonly accepts?: readonly { readonly wire: Uint8Array; readonly messages: readonly unknown[] }[] | undefined;
  /** Bytes that must be refused. */
  readonly refuses?:
    | readonly { readonly wire: Uint8Array; readonly code: "FRAME_INVALID" | "FRAME_TOO_LONG" }[]
    | undefined;
  /** Messages that have no form and must not be sent. */
  readonly unsendable?:
    | readonly { readonly message: In; readonly code: "FRAME_INVALID" | "FRAME_TOO_LONG" }[]
    | undefined;
  /** The same codec with a small limit, the longest message that it allows, and one that is just too long. */
  readonly limited?: { readonly codec: Codec<In, Out>; readonly longest: In; readonly tooLong: In } | undefined;
}

/** What a codec must do: tests by their titles. */
export type CodecChecks = Readonly<
  Record<string, <In, Out>(create: () => Codec<In, Out>, options: CodecSuiteOptions<In, Out>) => void>
>;

/** What came out of a decoder that was fed until the end. */
export interface Decoded<Out> {
  readonly messages: readonly Out[];
  /** The error of `decode` or, with `end`, of the end. */
  readonly error: ZocaloError | undefined;
}

/** The bytes of messages, one after the other. */
export function encoded<In>(codec: Codec<In, unknown>, messages: readonly In[]): Buffer {
  const writer = new ByteWriter();
  for (const message of messages) codec.encode(message, writer);
  const written = writer.take();
  assert.equal(written.length, Buffer.concat(written.chunks).length);
  return Buffer.concat(written.chunks);
}

/** Feeds pieces and keeps the messages; a remote `ProtocolError` is part of the answer, any other error is thrown on. */
export function decoded<Out>(decoder: Decoder<Out>, pieces: readonly Uint8Array[], end = true): Decoded<Out> {
  const messages: Out[] = [];
  const keep = (message: Out): void => {
    messages.push(decoder.own(message));
  };
  try {
    for (const piece of pieces) assert.equal(decoder.decode(piece, 0, piece.length, keep), piece.length);
    if (end) decoder.end();
    return { messages, error: undefined };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    assertErrorShape(error);
    assert.equal(error.side, "remote");
    return { messages, error };
  }
}

/** The messages as they must arrive. */
export function arriving<In, Out>(options: CodecSuiteOptions<In, Out>, messages: readonly In[]): readonly unknown[] {
  return messages.map((message) => options.arrives?.(message) ?? message);
}

/**
 * Fails unless these are the expected messages. For messages that are bytes, any kind of `Uint8Array` will do. The error
 * shows the first difference only: from Node 22 on `assert.deepEqual` takes gigabytes to show how two arrays of some
 * thousand bytes differ.
 */
export function assertSame(actual: readonly unknown[], expected: readonly unknown[], note?: string): void {
  const [got, wanted] = [actual.map(plain), expected.map(plain)];
  if (isSame(got, wanted)) return;
  const at = wanted.findIndex((message, index) => index >= got.length || !isSame(got[index], message));
  const difference =
    at === -1 || at >= got.length
      ? `${got.length} messages instead of ${wanted.length}`
      : `message ${at} of ${wanted.length} differs: ${differing(got[at], wanted[at])}`;
  assert.fail(note === undefined ? difference : `${note}: ${difference}`);
}

/** Fails unless the decoder gave exactly these messages and no error. */
export function assertMessages(actual: Decoded<unknown>, expected: readonly unknown[], note?: string): void {
  if (actual.error !== undefined) throw actual.error;
  assertSame(actual.messages, expected, note);
}

function plain(message: unknown): unknown {
  return message instanceof Uint8Array ? new Uint8Array(message) : message;
}

/** Thrown instead of an error that would compare the two line by line. */
const DIFFERENT: Error = new Error("they differ");

function isSame(got: unknown, wanted: unknown): boolean {
  try {
    assert.deepEqual(got, wanted, DIFFERENT);
    return true;
  } catch (error) {
    if (error !== DIFFERENT) throw error;
    return false;
  }
}

/** Where two messages differ, in one short line however long they are. */
function differing(got: unknown, wanted: unknown): string {
  if (got instanceof Uint8Array && wanted instanceof Uint8Array) {
    let at = 0;
    while (at < got.length && got[at] === wanted[at]) at += 1;
    return `${got.length} bytes instead of ${wanted.length}, byte ${at} is ${got[at]} instead of ${wanted[at]}`;
  }
  return `${beginning(got)} instead of ${beginning(wanted)}`;
}

const SHOWN_CHARACTERS = 200;

function beginning(message: unknown): string {
  const text = typeof message === "string" ? JSON.stringify(message) : String(message);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)} ...`;
}

/** Numbers from a seed, the same ones each time (mulberry32). Not for secrets. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Pieces of `pieceBytes` bytes each; the last one may be shorter. */
export function equalPieces(bytes: Buffer, pieceBytes: number): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  return pieces;
}

/** Pieces of many sizes, from none to a few hundred bytes, small ones most often. */
export function randomPieces(bytes: Buffer, next: () => number): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = Math.floor(next() ** 3 * 400);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** The bytes with some of them changed, left out or doubled; or bytes that have nothing to do with them. */
export function damaged(bytes: Buffer, next: () => number): Buffer {
  if (next() < 0.2)
    return Buffer.from(Array.from({ length: Math.floor(next() * 300) }, () => Math.floor(next() * 256)));
  const out = [...bytes];
  for (let times = 1 + Math.floor(next() * 4); times > 0; times -= 1) {
    const at = Math.floor(next() * out.length);
    const choice = next();
    if (choice < 0.5) out[at] = Math.floor(next() * 256);
    else if (choice < 0.75) out.splice(at, 1 + Math.floor(next() * 3));
    else out.splice(at, 0, ...out.slice(at, at + 5));
  }
  return Buffer.from(out);
}
