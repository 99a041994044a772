import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decoded, encoded, equalPieces } from "../../../testing/codec/check.ts";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { countedBytes, type LookCount } from "../../../testing/codec/linear.ts";
import { chain } from "../frame-codec.ts";
import type { SkippedFrame } from "../codec.ts";
import { json } from "../formats/json.ts";
import { type Delimiter, delimiter } from "./delimiter.ts";

const ascii = (text: string): Buffer => Buffer.from(text, "latin1");
const sized = (bytes: number): Buffer => Buffer.alloc(bytes, "x");
const options = { maxFrameBytes: 70_000 };

codecSuite("delimiter of one byte", () => delimiter("\0", options), {
  messages: [ascii(""), ascii("a"), ascii("hola\n"), sized(300)],
  sized,
  vectors: [{ message: ascii("hola"), wire: ascii("hola\0") }],
  unsendable: [
    { message: ascii("a\0b"), code: "FRAME_INVALID" },
    { message: sized(70_001), code: "FRAME_TOO_LONG" },
  ],
  limited: { codec: delimiter("\0", { maxFrameBytes: 100 }), longest: sized(100), tooLong: sized(101) },
});

codecSuite("delimiter of several bytes", () => delimiter(ascii("\r\n.\r\n"), options), {
  messages: [ascii(""), ascii("\r"), ascii("\r\n"), ascii("\n."), ascii("a\r\n\r\nb"), ascii("\r\n.\r")],
  sized: (bytes) => Buffer.alloc(bytes, "\r\n.\r.").fill("x", bytes - 1),
  unsendable: [
    { message: ascii("a\r\n.\r\nb"), code: "FRAME_INVALID" },
    // The delimiter behind it would make one that ends too early.
    { message: ascii("a\r\n."), code: "FRAME_INVALID" },
  ],
  limited: { codec: delimiter("\r\n.\r\n", { maxFrameBytes: 100 }), longest: sized(100), tooLong: sized(101) },
});

codecSuite("several delimiters", () => delimiter(["\r\n", "\n", ascii("\0"), "END"], options), {
  messages: [ascii(""), ascii("hola"), ascii("EN"), ascii("\rx"), ascii("E\rND")],
  sized,
  accepts: [{ wire: ascii("a\nb\r\nc\0dENDe\n\r\n"), messages: ["a", "b", "c", "d", "e", ""].map(ascii) }],
  unsendable: [
    { message: ascii("a\nb"), code: "FRAME_INVALID" },
    { message: ascii("THE END"), code: "FRAME_INVALID" },
  ],
});

describe("delimiter", () => {
  it("the delimiter that is complete first ends the message; of two that are, the longest", () => {
    const words = (list: readonly Delimiter[], wire: string): readonly string[] =>
      decoded(delimiter(list).createDecoder(), [ascii(wire)], false).messages.map((one) => String(Buffer.from(one)));
    assert.deepEqual(words(["abc", "b"], "xabcy"), ["xa"]);
    assert.deepEqual(words(["ab", "b"], "xaby"), ["x"]);
    assert.deepEqual(words(["a", "ab"], "xaby"), ["x"]);
    assert.deepEqual(words(["aa"], "xaaay"), ["x"]);
  });

  it("refuses a message in which a delimiter would be complete too early, also by what is sent behind it", () => {
    const cases: readonly (readonly [delimiters: readonly string[], message: string])[] = [
      [["aa"], "xa"],
      [["aba"], "xab"],
      [["--", "-x"], "y-"],
      [["xyx", "x"], ""],
    ];
    for (const [list, message] of cases) {
      assert.throws(
        () => encoded(delimiter(list), [ascii(message)]),
        { code: "FRAME_INVALID", side: "local" },
        message,
      );
    }
    assert.equal(String(encoded(delimiter(["aba"]), [ascii("xabb")])), "xabbaba");
  });

  it("whatever can be sent arrives, for any delimiters over two letters", () => {
    const word = fc.array(fc.constantFrom(0, 1), { maxLength: 12 }).map((digits) => Buffer.from(digits));
    const delimiters = fc.array(
      word.filter(({ length }) => length > 0 && length < 5),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(
        delimiters,
        fc.array(word, { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        (list, candidates, cut) => {
          const codec = delimiter(list);
          const sent: Buffer[] = [];
          const wires: Buffer[] = [];
          for (const message of candidates) {
            try {
              wires.push(encoded(codec, [message]));
              sent.push(message);
            } catch (error) {
              assert.equal((error as { code: string }).code, "FRAME_INVALID");
            }
          }
          const wire = Buffer.concat(wires);
          const pieces = Array.from({ length: Math.ceil(wire.length / cut) }, (_, i) =>
            wire.subarray(i * cut, (i + 1) * cut),
          );
          assert.deepEqual(decoded(codec.createDecoder(), pieces), { messages: sent, error: undefined });
        },
      ),
    );
  });

  it("stays linear where every byte could be the last of a delimiter", () => {
    const wire = Buffer.concat([Buffer.alloc(60_000, "a"), ascii("b")]);
    const codec = delimiter("ba".repeat(100));
    assert.equal(decoded(codec.createDecoder(), [wire], false).error, undefined);
  });

  it("checks its options, and does not keep the caller's bytes", () => {
    const wrong = [[], [""], "", Array.from({ length: 17 }, () => "x"), "x".repeat(257)];
    for (const list of wrong) assert.throws(() => delimiter(list), { code: "OPTION_INVALID", op: "delimiter" });
    for (const list of [null, 7, [7], { length: 1 }]) {
      assert.throws(() => delimiter(list as unknown as string), { code: "OPTION_INVALID", op: "delimiter" });
    }
    assert.throws(() => delimiter("x", { maxFrameBytes: -1 }), { code: "OPTION_INVALID" });
    const own = ascii("x");
    const codec = delimiter(own);
    own.fill("y");
    assert.equal(String(encoded(codec, [ascii("a")])), "ax");
  });
});

describe("delimiter, told to resynchronise", () => {
  /** What comes out of these pieces, and what was skipped. */
  function received(
    delimiters: Parameters<typeof delimiter>[0],
    pieces: readonly Buffer[],
  ): { readonly messages: readonly string[]; readonly skipped: readonly (readonly [code: string, bytes: number])[] } {
    const skipped: (readonly [code: string, bytes: number])[] = [];
    const codec = delimiter(delimiters, {
      maxFrameBytes: 4,
      resynchronise: ({ code, bytes }) => skipped.push([code, bytes]),
    });
    const { messages, error } = decoded(codec.createDecoder(), pieces);
    if (error !== undefined) throw error;
    return { messages: messages.map(String), skipped };
  }

  it("skips and reports messages that are too long, the same however they are cut", () => {
    for (const [delimiters, text, expected] of [
      ["\n", "uno\ntoo long\ndos\n\n", [9]],
      ["\r\n", "uno\r\ntoo \r long\r\ndos\r\n\r\n12345\r\n", [12, 7]],
      [["--", "-=-"], "uno--too - long-=-dos--tres--too long--", [13, 10]],
    ] as const) {
      const wire = Buffer.from(text);
      const whole = received(delimiters, [wire]);
      assert.deepEqual(
        whole.skipped,
        expected.map((bytes) => ["FRAME_TOO_LONG", bytes]),
      );
      assert.deepEqual(whole.messages.slice(0, 2), ["uno", "dos"]);
      for (let size = 1; size < wire.length; size += 1)
        assert.deepEqual(received(delimiters, equalPieces(wire, size)), whole);
    }
  });

  /** How many bytes the framer looks at while it skips so many messages of one arrival. */
  function looks(delimiters: readonly string[], messages: number): number {
    const count: LookCount = { looks: 0 };
    const wire = Buffer.from(`too long${delimiters.at(-1)}`.repeat(messages));
    const bytes = countedBytes(wire, count);
    const skipped: number[] = [];
    const codec = delimiter(delimiters, { maxFrameBytes: 4, resynchronise: (one) => skipped.push(one.bytes) });
    const framer = codec.boundary.createFramer();
    for (let at = 0; at < wire.length; ) {
      at = framer.find(bytes, at, wire.length, { seen: at, limit: 4, from: 0, to: 0, source: undefined });
    }
    assert.equal(skipped.length, messages);
    return count.looks;
  }

  it("looks at no message because it skips another of the same arrival", () => {
    for (const delimiters of [["\n"], ["\r\n"], ["\0", "\r\n", "--"]]) {
      const [once, twice] = [looks(delimiters, 100), looks(delimiters, 200)];
      assert.ok(twice <= 2.2 * once, `${once} looks, and ${twice} for twice the messages`);
    }
  });

  it("skips what the format finds invalid, and says how much is missing at the end", () => {
    const skipped: SkippedFrame[] = [];
    const codec = chain(delimiter("\0", { resynchronise: (one) => skipped.push(one) }), json<number>());
    assert.deepEqual(decoded(codec.createDecoder(), [Buffer.from(["1", "x", "2", ""].join("\0"))]).messages, [1, 2]);
    assert.deepEqual(skipped, [
      { code: "FRAME_INVALID", bytes: 1, detail: "json: the text is not valid JSON at byte 0" },
    ]);
    const long = delimiter("\0", { maxFrameBytes: 3, resynchronise: () => undefined }).createDecoder();
    long.decode(Buffer.from("12345"), 0, 5, () => undefined);
    assert.throws(() => long.end(), { code: "FRAME_TRUNCATED", detail: /5 bytes of which had come/ });
  });
});
