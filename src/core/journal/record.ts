/** What a journal keeps of one session, as bytes. The form has a version, and is read with care: others write to the store, too. */

import { MAX_METHODS } from "../contract/contract.ts";
import { ZocaloError } from "../errors.ts";
import { msgpack } from "../framing/formats/msgpack.ts";
import { Fields } from "../handshake/fields.ts";
import { readLimits } from "../handshake/limits.ts";
import type { Agreement } from "../handshake/negotiate.ts";
import type { SessionSnapshot, Unfinished } from "../session/gate.ts";
import type { SessionRecord } from "../session/resume/session-store.ts";

/** The version of the form. A server takes no other: while two versions of a program run, each goes on with its own sessions. */
const VERSION = 1;
/** A few values for each field, and three for each request that is not finished. */
const MAX_VALUES = 1_000_000;
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;
/** Longest text, and longest list of texts. What is in a record was agreed on or given by this program. */
const MAX_TEXT = 1_048_576;
const MAX_TEXTS = 1_000_000;

/** Everything with which another process goes on with a session. */
export interface StoredSession {
  /** Who may continue it. */
  readonly owner: Omit<SessionRecord, "id">;
  readonly agreement: Agreement;
  /** `session.data`, in MessagePack. */
  readonly data: Uint8Array;
  /** The groups in which it is, and the place in the log behind which it hears each. */
  readonly groups: readonly (readonly [name: string, since: number])[];
  /** The place in the log behind which it hears what it is told itself. */
  readonly since: number;
  /** Whether the program has been told that it is open. */
  readonly opened: boolean;
  readonly session: SessionSnapshot;
}

const format = msgpack({ maxValues: MAX_VALUES });

/** The bytes of a record. @throws ZocaloError `JOURNAL_RECORD_INVALID` when it has more values than can be read again. */
export function encodeRecord({ owner, agreement, data, groups, since, opened, session }: StoredSession): Uint8Array {
  const { frames, unfinished, ...counters } = session;
  const { previousTokenHash = null } = owner;
  const requests = unfinished.map(({ number, frame }) => [number, frame]);
  const fields = { ...counters, frames: Buffer.concat(frames), unfinished: requests };
  const record = {
    version: VERSION,
    owner: { ...owner, previousTokenHash },
    agreement,
    data,
    groups,
    since,
    opened,
    ...fields,
  };
  try {
    return format.encode(record) as Uint8Array;
  } catch (cause) {
    const why = cause instanceof ZocaloError ? cause.detail : String(cause);
    throw new ZocaloError("JOURNAL_RECORD_INVALID", {
      op: "commit",
      outcome: "none",
      detail: `the record: ${why}`,
      cause,
    });
  }
}

/**
 * Reads the record of a session.
 *
 * @throws ZocaloError `JOURNAL_RECORD_INVALID`.
 */
export function decodeRecord(id: string, bytes: Uint8Array): StoredSession {
  try {
    const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const fields = new Fields(format.decode(record, 0, record.length), "record");
    const version = fields.any("version");
    if (version !== VERSION)
      throw fields.invalid("version", `is ${String(version)}, and this program reads ${VERSION}`);
    return {
      owner: readOwner(fields.object("owner")),
      agreement: readAgreement(fields.object("agreement")),
      data: readBytes(fields, "data"),
      groups: readGroups(fields),
      since: fields.integer("since", 0, MAX_NUMBER),
      opened: readFlag(fields, "opened"),
      session: {
        received: fields.integer("received", 0, MAX_NUMBER),
        acknowledged: fields.integer("acknowledged", 0, MAX_NUMBER),
        sent: fields.integer("sent", 0, MAX_NUMBER),
        doneTo: fields.integer("doneTo", 0, MAX_NUMBER),
        open: readNumbers(fields, "open"),
        begun: readNumbers(fields, "begun"),
        again: fields.integer("again", 0, MAX_NUMBER),
        suspects: fields.integer("suspects", 0, MAX_NUMBER),
        nextId: fields.integer("nextId", 1, MAX_NUMBER),
        frames: [readBytes(fields, "frames")],
        unfinished: readUnfinished(fields),
      },
    };
  } catch (cause) {
    const why = cause instanceof ZocaloError ? cause.detail : "it is damaged";
    const detail = `the record of session ${id} cannot be read: ${why}`;
    throw new ZocaloError("JOURNAL_RECORD_INVALID", { op: "read", detail, cause });
  }
}

function readOwner(fields: Fields): StoredSession["owner"] {
  return {
    principal: fields.text("principal", MAX_TEXT),
    epoch: fields.integer("epoch", 1, MAX_NUMBER),
    attempt: fields.integer("attempt", 0, MAX_NUMBER),
    tokenHash: fields.text("tokenHash", MAX_TEXT),
    previousTokenHash: fields.has("previousTokenHash") ? fields.text("previousTokenHash", MAX_TEXT) : undefined,
  };
}

function readAgreement(fields: Fields): Agreement {
  const offers = fields.any("peerOffers");
  // What this side does not know is empty, so they need not be different.
  const isList =
    Array.isArray(offers) && offers.length <= MAX_METHODS && offers.every((name) => typeof name === "string");
  if (!isList) throw fields.invalid("peerOffers", "must be a list of texts");
  return {
    peerVersion: fields.text("peerVersion", MAX_TEXT),
    peerOffers: offers,
    codec: fields.text("codec", MAX_TEXT),
    features: fields.texts("features", MAX_TEXTS, MAX_TEXT),
    limits: readLimits(fields.object("limits")),
    peerLimits: readLimits(fields.object("peerLimits")),
  };
}

function readFlag(fields: Fields, name: string): boolean {
  const flag = fields.any(name);
  if (typeof flag === "boolean") return flag;
  throw fields.invalid(name, "must be true or false");
}

function readGroups(fields: Fields): StoredSession["groups"] {
  const groups = fields.any("groups");
  if (!Array.isArray(groups)) throw fields.invalid("groups", "must be a list");
  return groups.map((group) => {
    const [name, since] = Array.isArray(group) ? (group as readonly unknown[]) : [];
    if (typeof name !== "string" || !Number.isSafeInteger(since))
      throw fields.invalid("groups", "must be a list of names with their places");
    return [name, since as number];
  });
}

function readUnfinished(fields: Fields): readonly Unfinished[] {
  const requests = fields.any("unfinished");
  if (!Array.isArray(requests)) throw fields.invalid("unfinished", "must be a list");
  return requests.map((request) => {
    const [number, frame] = Array.isArray(request) ? (request as readonly unknown[]) : [];
    if (!Number.isSafeInteger(number) || !(frame instanceof Uint8Array) || frame.length === 0)
      throw fields.invalid("unfinished", "must be a list of numbers with their frames");
    return { number: number as number, frame: Buffer.from(frame) };
  });
}

function readNumbers(fields: Fields, name: string): readonly number[] {
  const numbers = fields.any(name);
  if (Array.isArray(numbers) && numbers.every((number) => Number.isSafeInteger(number)))
    return numbers as readonly number[];
  throw fields.invalid(name, "must be a list of numbers");
}

function readBytes(fields: Fields, name: string): Uint8Array {
  const bytes = fields.any(name);
  if (bytes instanceof Uint8Array) return bytes;
  throw fields.invalid(name, "must be bytes");
}
