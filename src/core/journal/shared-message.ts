/** What is said to many, as an entry of a journal's log has it. The form has a version, and is read with care: others write there, too. */

import { ZocaloError } from "../errors.ts";
import { msgpack } from "../framing/formats/msgpack.ts";
import { Fields } from "../handshake/fields.ts";

const VERSION = 1;
const MAX_NAME = 64;
/** Letters of an id. */
export const MAX_ID = 256;
/** Sessions that do not hear a message. */
export const MAX_EXCEPT = 10_000;

/** One event for many sessions. */
export interface SharedMessage {
  /** The codec of the body. */
  readonly codec: string;
  /** The name of the event: versions of a contract number their methods differently. */
  readonly method: string;
  readonly body: Uint8Array;
  /** The ids of sessions that do not hear it. */
  readonly except?: readonly string[] | undefined;
}

/** The ids, and a few fields. */
const format = msgpack({ maxValues: MAX_EXCEPT + 100 });

export function encodeSharedMessage({ codec, method, body, except = [] }: SharedMessage): Uint8Array {
  return format.encode({ version: VERSION, codec, method, body, except }) as Uint8Array;
}

/** @throws ZocaloError `JOURNAL_RECORD_INVALID`. */
export function decodeSharedMessage(place: number, bytes: Uint8Array): SharedMessage {
  try {
    const entry = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const fields = new Fields(format.decode(entry, 0, entry.length), "entry");
    const version = fields.any("version");
    if (version !== VERSION)
      throw fields.invalid("version", `is ${String(version)}, and this program reads ${VERSION}`);
    const body = fields.any("body");
    if (!(body instanceof Uint8Array)) throw fields.invalid("body", "must be bytes");
    const [codec, method] = [fields.text("codec", MAX_NAME), fields.text("method", MAX_NAME)];
    return { codec, method, body, except: fields.texts("except", MAX_EXCEPT, MAX_ID) };
  } catch (cause) {
    const why = cause instanceof ZocaloError ? cause.detail : "it is damaged";
    const detail = `the entry ${place} of the log cannot be read: ${why}`;
    throw new ZocaloError("JOURNAL_RECORD_INVALID", { op: "follow", detail, cause });
  }
}
