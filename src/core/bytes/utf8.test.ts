import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeUtf8, isEncodable } from "./utf8.ts";

const decode = (bytes: Uint8Array): string | undefined => decodeUtf8(Buffer.from(bytes), 0, bytes.length);

describe("decodeUtf8", () => {
  it("agrees with the strict decoder of the platform on any bytes", () => {
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const expected = (bytes: Uint8Array): string | undefined => {
      try {
        return strict.decode(bytes);
      } catch {
        return undefined;
      }
    };
    const pieces = ["", "a", "ñ", "日", "🦙", "\ufffd", "\ufeff"].map((text) => [...Buffer.from(text)]);
    const broken = [[0xff], [0xc3], [0xe6, 0x97], [0xf0, 0x9f], [0x80], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xef, 0xbf]];
    const mixed = fc.array(fc.constantFrom(...pieces, ...broken)).map((all) => new Uint8Array(all.flat()));
    fc.assert(
      fc.property(fc.oneof(mixed, fc.uint8Array()), (bytes) => assert.equal(decode(bytes), expected(bytes))),
      { numRuns: 1000 },
    );
  });

  it("looks at its range only", () => {
    const bytes = Buffer.from("ñandú");
    assert.equal(decodeUtf8(bytes, 2, 5), "and");
    assert.equal(decodeUtf8(bytes, 1, 5), undefined);
    assert.equal(decodeUtf8(Buffer.from("\ufffd\ufffd"), 0, 3), "\ufffd");
  });
});

describe("isEncodable", () => {
  it("knows halves of surrogate pairs", () => {
    for (const text of ["", "a", "ñ", "🦙", "\ufffd"]) assert.ok(isEncodable(text), text);
    for (const text of ["\ud83e", "\udd99", "\udd99\ud83e", "🦙\ud83e"]) assert.ok(!isEncodable(text));
  });
});
