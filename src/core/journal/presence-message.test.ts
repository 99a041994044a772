import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodePresence, encodePresence, type PresenceMessage } from "./presence-message.ts";

const MESSAGES: readonly PresenceMessage[] = [
  { kind: "counts", server: "one", number: 7, isFirst: true, isCut: false, counts: [["g/plaza", 3]] },
  { kind: "ask", server: "" },
  { kind: "gone", server: "one" },
  { kind: "find", server: "one", question: 1, topic: "u/ñandú" },
  { kind: "found", server: "one", question: 1, total: 1, members: [["id", "ana", true]] },
];

test("a message is read as it was written", () => {
  for (const message of MESSAGES) assert.deepEqual(decodePresence(encodePresence(message)), { ...message });
});

test("what is cut short, of another form or garbage is none", () => {
  for (const message of MESSAGES) {
    const bytes = encodePresence(message);
    for (let length = 0; length < bytes.length; length += 1) {
      assert.equal(decodePresence(bytes.subarray(0, length)), undefined);
    }
  }
  const [counts, , , find, found] = MESSAGES as [object, object, object, object, object];
  const wrong: readonly object[] = [
    { ...counts, kind: "other" },
    { ...counts, counts: [["g/plaza", -1]] },
    { ...counts, counts: [["g".repeat(1_025), 1]] },
    { ...counts, number: 1.5 },
    { ...find, topic: 7 },
    { ...found, members: [["id", "ana"]] },
    { ...counts, version: 2 },
  ];
  for (const one of wrong) assert.equal(decodePresence(encodePresence(one as PresenceMessage)), undefined);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => decodePresence(bytes) === undefined));
});
