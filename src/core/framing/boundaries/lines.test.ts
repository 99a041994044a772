import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decoded, encoded } from "../../../testing/codec/check.ts";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { bytes } from "../formats/bytes.ts";
import { chain } from "../frame-codec.ts";
import type { SkippedFrame } from "../codec.ts";
import { json } from "../formats/json.ts";
import { type LinesOptions, lines } from "./lines.ts";

const utf8 = (text: string): Buffer => Buffer.from(text);
const messages = [
  "",
  "hola",
  "ñandú",
  "日本語 🦙",
  "\u{feff}mark",
  " \t ",
  "\u{fffd} is a character too",
  "x".repeat(500),
];
const sized = (size: number): string => "x".repeat(size);

codecSuite("lines()", () => lines({ maxLineBytes: 70_000 }), {
  messages: [...messages, "a\rb"],
  sized,
  vectors: [{ message: "hola", wire: utf8("hola\n") }],
  accepts: [{ wire: utf8("uno\r\ndos\n\r\n\ntres\r\r\n"), messages: ["uno", "dos", "", "", "tres\r"] }],
  refuses: [
    { wire: Buffer.from("ff0a", "hex"), code: "FRAME_INVALID" },
    { wire: Buffer.from("c30a", "hex"), code: "FRAME_INVALID" },
    { wire: Buffer.from("eda0800a", "hex"), code: "FRAME_INVALID" },
    { wire: Buffer.from("c0af0a", "hex"), code: "FRAME_INVALID" },
  ],
  unsendable: [
    { message: "two\nlines", code: "FRAME_INVALID" },
    { message: "\n", code: "FRAME_INVALID" },
    { message: "end\r", code: "FRAME_INVALID" },
    { message: "half \ud83e", code: "FRAME_INVALID" },
    { message: `${"x".repeat(20_000)}\n`, code: "FRAME_INVALID" },
    { message: "x".repeat(70_001), code: "FRAME_TOO_LONG" },
  ],
  limited: { codec: lines({ maxLineBytes: 100 }), longest: sized(100), tooLong: sized(101) },
});

codecSuite('lines({ ending: "lf" })', () => lines({ ending: "lf", maxLineBytes: 70_000 }), {
  messages: [...messages, "end\r", "\r"],
  sized,
  accepts: [{ wire: utf8("uno\r\ndos\n"), messages: ["uno\r", "dos"] }],
  unsendable: [{ message: "a\nb", code: "FRAME_INVALID" }],
  limited: { codec: lines({ ending: "lf", maxLineBytes: 100 }), longest: sized(100), tooLong: sized(101) },
});

codecSuite('lines({ ending: "crlf" })', () => lines({ ending: "crlf", maxLineBytes: 70_000 }), {
  messages,
  sized,
  vectors: [{ message: "QUIT", wire: utf8("QUIT\r\n") }],
  refuses: [
    { wire: utf8("QUIT\n"), code: "FRAME_INVALID" },
    { wire: utf8("\n"), code: "FRAME_INVALID" },
    { wire: utf8("a\rb\r\n"), code: "FRAME_INVALID" },
    // How SMTP was smuggled: one side sees the end of a message here, the other does not.
    { wire: utf8("x\n.\r\n"), code: "FRAME_INVALID" },
    { wire: utf8("x\r\r\n"), code: "FRAME_INVALID" },
  ],
  unsendable: [
    { message: "a\rb", code: "FRAME_INVALID" },
    { message: "a\nb", code: "FRAME_INVALID" },
    { message: "a\r\nb", code: "FRAME_INVALID" },
  ],
  limited: { codec: lines({ ending: "crlf", maxLineBytes: 100 }), longest: sized(100), tooLong: sized(101) },
});

codecSuite('lines({ encoding: "latin1" })', () => lines({ encoding: "latin1", maxLineBytes: 70_000 }), {
  messages: ["", "hola", "ñandú", "\u{80}\u{ff}"],
  sized,
  vectors: [{ message: "ñ", wire: Buffer.from([0xf1, 0x0a]) }],
  unsendable: [
    { message: "日本", code: "FRAME_INVALID" },
    { message: "a\nb", code: "FRAME_INVALID" },
    { message: "end\r", code: "FRAME_INVALID" },
  ],
});

codecSuite("chain(lines(), bytes())", () => chain(lines({ maxLineBytes: 70_000 }), bytes()), {
  messages: [utf8(""), Buffer.from([255, 254]), utf8("hola")],
  sized: (size) => Buffer.alloc(size, 1),
  unsendable: [
    { message: utf8("a\nb"), code: "FRAME_INVALID" },
    { message: utf8("a\r"), code: "FRAME_INVALID" },
    { message: Buffer.alloc(70_001, 1), code: "FRAME_TOO_LONG" },
  ],
});

function skipping(
  options: LinesOptions,
  wire: Buffer,
  pieceBytes: number,
): { lines: string[]; skipped: SkippedFrame[] } {
  const skipped: SkippedFrame[] = [];
  const decoder = lines({ ...options, resynchronise: (one) => skipped.push(one) }).createDecoder();
  const out: string[] = [];
  for (let at = 0; at < wire.length; at += pieceBytes) {
    decoder.decode(wire, at, Math.min(wire.length, at + pieceBytes), (line) => out.push(line));
  }
  decoder.end();
  return { lines: out, skipped };
}

describe("lines", () => {
  // The rules are those of docs/semantics.md.
  it("rule C2: neither LF nor the CR before it counts toward the limit", () => {
    const codec = lines({ maxLineBytes: 4 });
    for (const wire of ["hola\n", "hola\r\n"]) {
      for (let cut = 0; cut <= wire.length; cut += 1) {
        const pieces = [utf8(wire.slice(0, cut)), utf8(wire.slice(cut))];
        assert.deepEqual(decoded(codec.createDecoder(), pieces), { messages: ["hola"], error: undefined });
      }
    }
    for (const wire of ["holas", "hola\r\r\n", "holas\n"]) {
      assert.equal(decoded(codec.createDecoder(), [utf8(`${wire}x`)]).error?.code, "FRAME_TOO_LONG", wire);
    }
  });

  it("replaces invalid UTF-8 when asked to", () => {
    const codec = lines({ invalid: "replace" });
    const wire = Buffer.concat([Buffer.from([0x61, 0xff, 0x62, 0x0a]), utf8("ñ\n")]);
    assert.deepEqual(decoded(codec.createDecoder(), [wire]).messages, ["a\ufffdb", "ñ"]);
  });

  it("skips and reports what is wrong when asked to, the same however it is cut", () => {
    const wire = Buffer.concat([
      utf8("uno\ndemasiado largo\n"),
      Buffer.from([0xff, 0x0a]),
      utf8("dos\n"),
      utf8("x".repeat(900)),
      utf8("\ntres\n"),
    ]);
    for (const pieceBytes of [1, 2, 7, 100, wire.length]) {
      const result = skipping({ maxLineBytes: 8 }, wire, pieceBytes);
      assert.deepEqual(result.lines, ["uno", "dos", "tres"]);
      assert.deepEqual(
        result.skipped.map(({ code }) => code),
        ["FRAME_TOO_LONG", "FRAME_INVALID", "FRAME_TOO_LONG"],
      );
      assert.deepEqual([result.skipped[0]?.bytes, result.skipped[2]?.bytes], [16, 901]);
      assert.match(result.skipped[0]?.detail ?? "", /^lines: .* longer than 8 bytes/);
    }
  });

  it("holds nothing of a line that it skips, and reports a line that never ends as truncated", () => {
    const skipped: SkippedFrame[] = [];
    const decoder = lines({ maxLineBytes: 10, resynchronise: (one) => skipped.push(one) }).createDecoder();
    for (let times = 0; times < 100; times += 1) {
      decoder.decode(Buffer.alloc(1000, "x"), 0, 1000, () => assert.fail("no line ends here"));
      assert.ok(decoder.heldBytes <= 11);
    }
    assert.deepEqual(skipped, []);
    assert.throws(() => decoder.end(), { code: "FRAME_TRUNCATED" });
  });

  it("skips lines with a wrong ending", () => {
    const result = skipping({ ending: "crlf" }, utf8("uno\r\nmal\ndos\r\nma\rl\r\ntres\r\n"), 3);
    assert.deepEqual(result.lines, ["uno", "dos", "tres"]);
    assert.deepEqual(
      result.skipped.map(({ bytes: count }) => count),
      [4, 6],
    );
  });

  it("skips what the format finds invalid", () => {
    const skipped: SkippedFrame[] = [];
    const codec = chain(lines({ resynchronise: (one) => skipped.push(one) }), json<number>());
    assert.deepEqual(decoded(codec.createDecoder(), [utf8("1\n{\n2\n")]).messages, [1, 2]);
    assert.deepEqual(
      skipped.map(({ code, bytes: count }) => [code, count]),
      [["FRAME_INVALID", 1]],
    );
  });

  it("what the report throws ends the decoding", () => {
    const fault = new Error("enough");
    const decoder = lines({
      maxLineBytes: 1,
      resynchronise: () => {
        throw fault;
      },
    }).createDecoder();
    assert.throws(() => decoder.decode(utf8("xx\ny\n"), 0, 5, () => undefined), fault);
    assert.throws(() => decoder.end(), fault);
  });

  it("any text in any cuts arrives", () => {
    const line = fc.string({ unit: "binary" }).filter((text) => !/[\r\n]/.test(text) && !/\p{Surrogate}/u.test(text));
    const ending = fc.constantFrom<"lf" | "crlf" | "both">("lf", "crlf", "both");
    fc.assert(
      fc.property(fc.array(line), ending, fc.integer({ min: 1, max: 9 }), (all, kind, cut) => {
        const codec = lines({ ending: kind });
        const wire = encoded(codec, all);
        const pieces = Array.from({ length: Math.ceil(wire.length / cut) }, (_, i) =>
          wire.subarray(i * cut, (i + 1) * cut),
        );
        assert.deepEqual(decoded(codec.createDecoder(), pieces), { messages: all, error: undefined });
      }),
    );
  });

  it("checks its options", () => {
    const wrong = [{ ending: "cr" }, { maxLineBytes: 0 }, { encoding: "utf16" }, { invalid: "ignore" }];
    for (const options of wrong as unknown as readonly LinesOptions[]) {
      assert.throws(() => lines(options), { code: "OPTION_INVALID" });
    }
  });
});
