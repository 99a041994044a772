import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ZocaloError } from "../errors.ts";
import { DEFAULT_LIMITS } from "../handshake/limits.ts";
import { decodeRecord, encodeRecord, type StoredSession } from "./record.ts";

const STORED: StoredSession = {
  owner: { principal: "ana", epoch: 2, attempt: 5, tokenHash: "hash", previousTokenHash: undefined },
  agreement: {
    peerVersion: "1.0.0",
    peerOffers: ["said", "", ""],
    codec: "json",
    features: ["moves"],
    limits: DEFAULT_LIMITS,
    peerLimits: DEFAULT_LIMITS,
  },
  data: Uint8Array.of(0xc0),
  groups: [["lobby", 3]],
  since: 2,
  opened: true,
  session: {
    received: 7,
    acknowledged: 2,
    sent: 4,
    doneTo: 9,
    open: [8],
    begun: [6, 8],
    again: 9,
    suspects: 8,
    nextId: 6,
    frames: [Buffer.from("one"), Buffer.from("two")],
    unfinished: [{ number: 6, frame: Buffer.from("six") }],
  },
};

function refusalOf(bytes: Uint8Array): ZocaloError {
  try {
    decodeRecord("the-session", bytes);
  } catch (error) {
    assert.ok(error instanceof ZocaloError);
    return error;
  }
  return assert.fail("it was read");
}

test("a record is read as it was written", () => {
  for (const previousTokenHash of [undefined, "before"]) {
    const stored = { ...STORED, owner: { ...STORED.owner, previousTokenHash } };
    const read = decodeRecord("the-session", encodeRecord(stored));
    const frames = [new Uint8Array(Buffer.from("onetwo"))];
    assert.deepEqual(read, { ...stored, session: { ...stored.session, frames } });
  }
});

test("a record of another version, one that is cut short and garbage are refused, with the name of the session", () => {
  const bytes = Buffer.from(encodeRecord(STORED));
  const other = Buffer.from(bytes);
  other[other.indexOf("version") + "version".length] = 2;
  assert.match(refusalOf(other).detail, /record of session the-session .*version is 2, and this program reads 1/);
  for (let length = 0; length < bytes.length; length += 1)
    assert.equal(refusalOf(bytes.subarray(0, length)).code, "JOURNAL_RECORD_INVALID");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
      assert.equal(refusalOf(garbage).code, "JOURNAL_RECORD_INVALID");
    }),
  );
});

test("a record of more values than can be read again is not written", () => {
  const open = Array.from({ length: 1_000_001 }, (_, index) => index);
  const encode = (): unknown => encodeRecord({ ...STORED, session: { ...STORED.session, open } });
  assert.throws(encode, { code: "JOURNAL_RECORD_INVALID", op: "commit", outcome: "none" });
});

test("whatever one byte of a record becomes, it is read or refused", () => {
  const bytes = Buffer.from(encodeRecord(STORED));
  for (let at = 0; at < bytes.length; at += 1) {
    for (const value of [0, 1, 0x7f, 0x80, 0xc0, 0xff]) {
      const changed = Buffer.from(bytes);
      changed[at] = value;
      try {
        decodeRecord("the-session", changed);
      } catch (error) {
        assert.ok(error instanceof ZocaloError && error.code === "JOURNAL_RECORD_INVALID");
      }
    }
  }
});
