import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assertErrorShape } from "../../testing/expect-error.ts";
import { NOTHING } from "../../core/session/outgoing.ts";
import { behindMetadata, decodeMetadata, encodeMetadata, type Metadata } from "./metadata.ts";

const op = "join";
const TOO_MUCH = /at most|more than/;

function refuses(act: () => unknown, code: string, detail: RegExp): void {
  assert.throws(act, (error: unknown) => {
    assertErrorShape(error);
    assert.equal(error.code, code);
    assert.match(error.detail, detail);
    return true;
  });
}

/** What arrives of metadata. */
function carried(metadata: Metadata): Metadata {
  const bytes = encodeMetadata(op, metadata);
  assert.ok(bytes !== undefined);
  const { metadata: came, bodyAt } = decodeMetadata(bytes, 0, bytes.length);
  assert.equal(bodyAt, bytes.length);
  return came;
}

test("whatever may be sent arrives as it was", () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
  const value = fc.string({ unit: "grapheme", maxLength: 20 });
  fc.assert(
    fc.property(fc.dictionary(name, value, { minKeys: 1, maxKeys: 32 }), (metadata) => {
      assert.deepEqual({ ...carried(metadata) }, { ...metadata });
    }),
  );
});

test("no metadata are no bytes, and a body without them is itself", () => {
  assert.equal(encodeMetadata(op, undefined), undefined);
  assert.equal(encodeMetadata(op, {}), undefined);
  assert.equal(behindMetadata(undefined, NOTHING), NOTHING);
});

test("what arrived has no names but its own, and nobody changes it", () => {
  const came = carried({ constructor: "x" });
  assert.equal(came["constructor"], "x");
  assert.equal(carried({ a: "" })["constructor"], undefined);
  assert.ok(Object.isFrozen(came));
});

for (const [what, metadata] of [
  ["a name with an upper-case letter", { Traceparent: "x" }],
  ["an empty name", { "": "x" }],
  ["a name of 65 characters", { ["a".repeat(65)]: "x" }],
  ["a name of a prototype", { ["__proto__"]: "x" }],
  ["a value that is no text", { a: 1 }],
  ["half of a surrogate pair", { a: "\ud800" }],
  ["33 pairs", Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`a${index}`, ""]))],
  ["more than 4,096 bytes", { a: "x".repeat(4093) }],
  ["a list", ["x"]],
  ["null", null],
  ["a text", "a"],
] as const) {
  test(`${what} is not sent`, () => {
    refuses(() => encodeMetadata(op, metadata as never), "OPTION_INVALID", /metadata cannot be sent/);
  });
}

test("32 pairs and 4,096 bytes are sent", () => {
  const most = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`a${index}`, ""]));
  assert.deepEqual({ ...carried(most) }, most);
  assert.equal(encodeMetadata(op, { a: "x".repeat(4092) })?.length, 4098);
});

for (const [what, hex, code, detail] of [
  ["nothing", "", "FRAME_INVALID", /cut/],
  ["half of the length", "00", "FRAME_INVALID", /cut/],
  ["a length beyond the message", "0005016100", "FRAME_INVALID", /cut/],
  ["a name that is cut", "0002ff61", "FRAME_INVALID", /a name is cut/],
  ["a value that is cut", "0005016100ff41", "FRAME_INVALID", /value/],
  ["a value that is no UTF-8", "00050161000180", "FRAME_INVALID", /value/],
  ["an upper-case name", "000401410000", "FRAME_INVALID", /no name/],
  ["a name twice", "00080161000001610000", "FRAME_INVALID", /twice/],
  ["more than 4,096 bytes", "1001", "FRAME_TOO_LONG", TOO_MUCH],
] as const) {
  test(`${what} is not taken`, () => {
    const bytes = Buffer.from(hex, "hex");
    refuses(() => decodeMetadata(bytes, 0, bytes.length), code, detail);
  });
}

test("33 pairs are not taken", () => {
  const pairs = Array.from({ length: 33 }, (_, index) => Buffer.from(`\u0002${String(index + 10)}\0\0`, "latin1"));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(33 * 5);
  const bytes = Buffer.concat([length, ...pairs]);
  refuses(() => decodeMetadata(bytes, 0, bytes.length), "FRAME_TOO_LONG", TOO_MUCH);
});

test("whatever bytes come, they are metadata or a protocol error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (random) => {
      const bytes = Buffer.from(random);
      try {
        const { metadata, bodyAt } = decodeMetadata(bytes, 0, bytes.length);
        assert.ok(bodyAt <= bytes.length);
        assert.deepEqual({ ...(Object.keys(metadata).length === 0 ? metadata : carried(metadata)) }, { ...metadata });
      } catch (error) {
        assert.match(String((error as { readonly code?: unknown }).code), /^FRAME_/);
      }
    }),
  );
});
