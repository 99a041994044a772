import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { validContent } from "../frame-error.ts";
import { problemOfMessagePack } from "./msgpack-check.ts";
import { MAX_VALUE_DEPTH } from "./value-limits.ts";

function check(digits: string, maxValues = 1000): void {
  const content = Buffer.from(digits.replaceAll(" ", ""), "hex");
  // With other bytes around, which must not be looked at.
  const bytes = Buffer.concat([Buffer.from([0x91]), content, Buffer.alloc(20, 0x01)]);
  validContent("msgpack", problemOfMessagePack(bytes, 1, 1 + content.length, maxValues));
}

describe("problemOfMessagePack", () => {
  it("knows the size of every form of the specification", () => {
    const forms = [
      "00",
      "7f",
      "e0",
      "ff",
      "c0",
      "c2",
      "c3",
      "80",
      "8f".replace("f", "1") + "a0 c0",
      "90",
      "93 01 02 03",
      "a0",
      "a2 6162",
      "c400",
      "c402 0102",
      "c5 0001 01",
      "c6 00000001 01",
      "ca 00000000",
      "cb 0000000000000000",
      "cc ff",
      "cd ffff",
      "ce ffffffff",
      "cf 0000000000000000",
      "d0 80",
      "d1 8000",
      "d2 80000000",
      "d3 0000000000000000",
      "d6 ff 00000000",
      "d7 ff 00000000 00000000",
      "c7 04 ff 00000000",
      "c8 0004 ff 00000000",
      "c9 00000004 ff 00000000",
      "c7 0c ff 00000000 0000000000000000",
      "d9 01 61",
      "da 0001 61",
      "db 00000001 61",
      "dc 0001 01",
      "dd 00000001 01",
      "de 0001 a161 01",
      "df 00000001 a161 01",
    ];
    for (const form of forms) {
      check(form);
      const digits = form.replaceAll(" ", "");
      assert.throws(() => check(digits.slice(0, -2)), { code: "FRAME_INVALID" }, `${form} cut`);
      assert.throws(() => check(`${digits}00`), { code: "FRAME_INVALID" }, `${form} and more`);
    }
  });

  it("says what is wrong", () => {
    const problems: readonly (readonly [digits: string, detail: RegExp])[] = [
      ["c1", /c1 means nothing/],
      ["c70001", /extension 1 is not allowed/],
      ["d4fe00", /extension -2 is not allowed/],
      ["d4ff00", /a timestamp has 1 bytes/],
      [`${"91".repeat(MAX_VALUE_DEPTH + 1)}01`, /nested deeper than 64/],
      ["8101c0", /a key of a map is not text/],
      ["cf0020000000000000", /2\^53 - 1/],
      ["92a1", /not complete/],
      ["a2c328", /not valid UTF-8/],
    ];
    for (const [digits, detail] of problems) assert.throws(() => check(digits), { code: "FRAME_INVALID", detail });
  });

  it("counts every value, and no key", () => {
    const exact: readonly (readonly [digits: string, values: number])[] = [
      ["01", 1],
      ["90", 1],
      ["93 01 c0 a161", 4],
      ["82 a161 80 a162 91 c3", 4],
      ["92 92 01 02 92 03 d6ff00000000", 7],
      ["dc 0005 80 90 c400 a0 c0", 6],
    ];
    for (const [digits, values] of exact) {
      check(digits, values);
      const detail = new RegExp(`more than ${values - 1} values`);
      assert.throws(() => check(digits, values - 1), { code: "FRAME_TOO_LONG", side: "remote", detail });
    }
  });

  it("is quick to refuse what announces more than there is", () => {
    // A thousand arrays that each announce four thousand million elements; nothing is allocated for them.
    for (let times = 0; times < 1000; times += 1) assert.throws(() => check("ddffffffff ddffffffff ddffffffff 01"));
  });

  it("reads text of every length up to its last byte", () => {
    for (let size = 0; size < 40; size += 1) {
      const text = "a".repeat(size);
      const head = size < 32 ? [0xa0 + size] : [0xd9, size];
      check(Buffer.concat([Buffer.from(head), Buffer.from(text)]).toString("hex"));
      if (size === 0) continue;
      const bad = Buffer.concat([Buffer.from(head), Buffer.from(text.slice(1)), Buffer.from([0xff])]);
      assert.throws(() => check(bad.toString("hex")), { code: "FRAME_INVALID" });
    }
  });
});
