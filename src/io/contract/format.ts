/** The bodies of messages: values in the codec of a session, and bytes as they are. */

import { ownBytes } from "../../core/bytes/own-bytes.ts";
import { UsageError } from "../../core/errors.ts";
import type { MessageFormat } from "../../core/framing/codec.ts";
import { json } from "../../core/framing/formats/json.ts";
import { msgpack } from "../../core/framing/formats/msgpack.ts";
import { type BodyPlace, NOTHING } from "../../core/session/outgoing.ts";

/** The codecs of values. `bytes` is for contracts whose methods all carry bytes or nothing. */
export type SessionCodec = "msgpack" | "json" | "bytes";

/** All codecs, the favourite first. */
export const SESSION_CODECS: readonly SessionCodec[] = ["msgpack", "json", "bytes"];

/** How values become bodies. It keeps nothing of a session. */
export interface BodyFormat {
  /** Where the body of a value stands; valid until the next call. @throws UsageError `FRAME_INVALID`. */
  encode(value: unknown): BodyPlace;
  /** The value of a body, which belongs to the caller; an `InvalidContent` when it is none. */
  tryDecode(bytes: Buffer, start: number, end: number): unknown;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);
/** One place for all bodies: it is read before the next one is encoded. */
const place: { bytes: Uint8Array; start: number; end: number } = { bytes: NO_BYTES, start: 0, end: 0 };
/** Where texts are encoded that are not long. */
const scratch: Buffer = Buffer.allocUnsafeSlow(65_536);
/** The most bytes that a UTF-16 unit takes in UTF-8. */
const MOST_BYTES_A_UNIT = 3;

function placeOf(bytes: Uint8Array, end: number): BodyPlace {
  place.bytes = bytes;
  place.end = end;
  return place;
}

/** A body of its own, for later: `place` is used again. */
export function copyOfBody({ bytes, start, end }: BodyPlace): BodyPlace {
  if (start === end) return NOTHING;
  return { bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start };
}

/** Where a text stands as UTF-8. */
export function textPlace(text: string): BodyPlace {
  if (text.length * MOST_BYTES_A_UNIT > scratch.length) {
    const bytes = Buffer.from(text, "utf8");
    return placeOf(bytes, bytes.length);
  }
  return placeOf(scratch, scratch.write(text, 0, "utf8"));
}

/** A body that is bytes, in every codec. */
export const RAW: BodyFormat = {
  encode(value) {
    if (value instanceof Uint8Array && ArrayBuffer.isView(value)) return placeOf(value, value.length);
    const detail = `the method carries bytes: give a Uint8Array, not ${value === null ? "null" : typeof value}`;
    throw new UsageError("FRAME_INVALID", { op: "send", detail, side: "local", outcome: "none" });
  },
  tryDecode: ownBytes,
};

/** Bytes, or nothing: `undefined` has an empty body. */
const BYTES: BodyFormat = {
  encode: (value) => (value === undefined ? placeOf(NO_BYTES, 0) : RAW.encode(value)),
  tryDecode: (bytes, start, end) => (start === end ? undefined : RAW.tryDecode(bytes, start, end)),
};

/** Values in a format; `undefined` has an empty body. */
class ValueFormat implements BodyFormat {
  readonly #format: MessageFormat<unknown>;

  constructor(format: MessageFormat<unknown>) {
    this.#format = format;
  }

  encode(value: unknown): BodyPlace {
    if (value === undefined) return placeOf(NO_BYTES, 0);
    const content = this.#format.encode(value);
    return typeof content === "string" ? textPlace(content) : placeOf(content, content.length);
  }

  tryDecode(bytes: Buffer, start: number, end: number): unknown {
    return start === end ? undefined : this.#format.tryDecode?.(bytes, start, end);
  }
}

/** The format of a codec. A method without a schema carries what its types say, or nothing. */
export function formatOf(codec: SessionCodec, maxValues: number): BodyFormat {
  if (codec === "bytes") return BYTES;
  return new ValueFormat(codec === "json" ? json({ maxValues }) : msgpack({ maxValues }));
}
