import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeSharedMessage, encodeSharedMessage } from "./shared-message.ts";

const MESSAGE = { codec: "json", method: "said", body: new Uint8Array([1, 2, 3]), except: ["eva"] };
const invalid = { code: "JOURNAL_RECORD_INVALID" };

test("a message of the log is read as it was written", () => {
  assert.deepEqual(decodeSharedMessage(7, encodeSharedMessage(MESSAGE)), MESSAGE);
});

test("one of another version, cut short or damaged is refused with its place", () => {
  const bytes = Buffer.from(encodeSharedMessage(MESSAGE));
  for (let length = 0; length < bytes.length; length += 1)
    assert.throws(() => decodeSharedMessage(7, bytes.subarray(0, length)), invalid);
  const other = Buffer.from(bytes);
  other[other.indexOf("version") + "version".length] = 2;
  assert.throws(() => decodeSharedMessage(7, other), /entry 7 of the log .*version is 2, and this program reads 1/);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (garbage) => {
      assert.throws(() => decodeSharedMessage(7, garbage), invalid);
    }),
  );
});
