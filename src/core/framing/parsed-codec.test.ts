import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decoded, encoded } from "../../testing/codec/check.ts";
import { codecSuite } from "../../testing/codec/suite.ts";
import { ByteWriter, REFERENCE_BYTES } from "../bytes/byte-writer.ts";
import { chain } from "./frame-codec.ts";
import { defineCodec } from "./define-codec.ts";
import { text } from "./formats/text.ts";
import type { ParserDefinition } from "./parsed-codec.ts";
import type { MessageParser, ParserInput } from "./parser-input.ts";

/** Lists in lists: `[`, elements and `]`; a text is its length, a colon, and its bytes. */
type Nested = string | readonly Nested[];

class NestedParser implements MessageParser<Nested> {
  #open: Nested[][] = [];
  #bytesLeft = -1;

  parse(input: ParserInput): Nested | undefined {
    for (;;) {
      const value = this.#next(input);
      if (value === undefined) return undefined;
      if (value === null) continue;
      const list = this.#open.at(-1);
      if (list === undefined) return value;
      list.push(value);
    }
  }

  /** A value; null when a list has begun; undefined when more is needed. */
  #next(input: ParserInput): Nested | null | undefined {
    if (this.#bytesLeft < 0) {
      const head = input.take(1)?.[0];
      if (head === undefined) return undefined;
      if (head === 0x5b) {
        if (this.#open.push([]) > 100) throw new RangeError("too\ndeep");
        return null;
      }
      if (head === 0x5d) {
        const list = this.#open.pop();
        if (list === undefined) throw new RangeError("a list ends that has not begun");
        return list;
      }
      input.at -= 1;
      const count = input.takeUntil(":");
      if (count === undefined) return undefined;
      if (!/^\d{1,6}$/.test(String(count))) throw new RangeError(`${String(count)} is no length`);
      this.#bytesLeft = Number(count);
    }
    const bytes = input.take(this.#bytesLeft);
    if (bytes === undefined) return undefined;
    this.#bytesLeft = -1;
    return String(bytes);
  }
}

function write(message: Nested, writer: ByteWriter): void {
  if (typeof message === "string") {
    writer.text(`${Buffer.byteLength(message)}:`);
    writer.text(message);
    return;
  }
  writer.byte(0x5b);
  for (const one of message) write(one, writer);
  writer.byte(0x5d);
}

const definition: ParserDefinition<Nested> = {
  name: "nested",
  maxFrameBytes: 200_000,
  parser: () => new NestedParser(),
  encode: write,
};
const nested = (changed: Partial<ParserDefinition<Nested>> = {}): ReturnType<typeof defineCodec<Nested>> =>
  defineCodec({ ...definition, ...changed });

codecSuite("defineCodec with a parser", () => nested(), {
  messages: ["", "hola", [], ["a", ["b", []], "ñandú"], "x".repeat(REFERENCE_BYTES)],
  // As many parts as it can have: the worst case of a codec that begins anew with every piece.
  sized: (bytes) => Array.from({ length: Math.ceil(bytes / 3) }, () => "x"),
  vectors: [{ message: ["a", []], wire: Buffer.from("[1:a[]]") }],
  refuses: [
    { wire: Buffer.from("]"), code: "FRAME_INVALID" },
    { wire: Buffer.from("1234567:"), code: "FRAME_INVALID" },
    { wire: Buffer.from("999999:"), code: "FRAME_TOO_LONG" },
  ],
  limited: { codec: nested({ maxFrameBytes: 11 }), longest: ["x".repeat(7)], tooLong: ["x".repeat(8)] },
});

describe("defineCodec with a parser", () => {
  it("says what the parser threw, in one line, and keeps it as the cause", () => {
    const { error } = decoded(nested().createDecoder(), [Buffer.from("[".repeat(101))]);
    assert.equal(error?.code, "FRAME_INVALID");
    assert.match(error.message, /nested: too deep/);
    assert.ok(error.cause instanceof RangeError);
  });

  it("sends nothing of a message whose encoding fails, and what was written before and behind it", () => {
    const codec = defineCodec<number>({
      name: "parts",
      parser: () => ({ parse: (input) => input.take(1)?.[0] }),
      encode(parts, writer) {
        for (let at = 0; at < parts; at += 1) writer.append(Buffer.alloc(at === 1 ? REFERENCE_BYTES : 900, at), 0, 900);
        if (parts > 2) throw new RangeError("three are too many");
      },
    });
    const writer = new ByteWriter();
    codec.encode(2, writer);
    assert.throws(() => codec.encode(5, writer), {
      code: "FRAME_INVALID",
      side: "local",
      message: /three are too many/,
    });
    assert.equal(writer.length, 1800);
    codec.encode(1, writer);
    const written = Buffer.concat(writer.take().chunks);
    assert.deepEqual([written.length, written[899], written[900], written[2699]], [2700, 0, 1, 0]);
    assert.throws(() => codec.encode(0, writer), { code: "FRAME_INVALID" });
  });

  it("gives back a message under way, and begins anew behind it", () => {
    const decoder = nested().createDecoder();
    const got: Nested[] = [];
    const feed = (bytes: string): number => decoder.decode(Buffer.from(bytes), 0, bytes.length, (one) => got.push(one));
    feed("[1:a[5:hol");
    assert.equal(decoder.heldBytes, 10);
    assert.equal(String(decoder.takeRest()), "[1:a[5:hol");
    feed("[3:uno]");
    assert.deepEqual(got, [["uno"]]);
  });

  it("refuses a parser that reads outside of its bytes, goes back, or answers a message of no or of half a byte", () => {
    const moved = (by: number): MessageParser<string> => ({
      parse(input) {
        input.at += by;
        return "x";
      },
    });
    for (const by of [0, 9, -1, Number.NaN, 0.5, 1e-9]) {
      const codec = nested({ parser: () => moved(by) });
      const { error, messages } = decoded(codec.createDecoder(), [Buffer.from("abc")]);
      assert.match(error?.message ?? "", /the codec is wrong/);
      assert.deepEqual(messages, []);
    }
  });

  it("takes any number as neededBytes, and refuses what is none", () => {
    const wanting = (neededBytes: number): ReturnType<typeof decoded> => {
      const parser: MessageParser<string> = {
        parse(input) {
          input.neededBytes = neededBytes;
          return undefined;
        },
      };
      return decoded(nested({ parser: () => parser }).createDecoder(), [Buffer.from("a"), Buffer.from("bc")], false);
    };
    for (const none of [Number.NaN, -1])
      assert.match(wanting(none).error?.message ?? "", /wrong: its parser sets neededBytes/);
    for (const much of [Infinity, 1e308]) assert.equal(wanting(much).error?.code, "FRAME_TOO_LONG");
    for (const few of [0, 0.5, 7.5]) assert.deepEqual(wanting(few), { messages: [], error: undefined });
  });

  it("can be a boundary for another format", () => {
    const codec = chain(nested(), text());
    assert.deepEqual(decoded(codec.createDecoder(), [encoded(codec, ["[]"]), Buffer.from("[1:a]")]).messages, [
      "[]",
      "[1:a]",
    ]);
  });

  it("copies with `own` what a message keeps of its bytes", () => {
    const views = defineCodec<Buffer>({
      name: "views",
      parser: () => ({ parse: (input) => input.take(2) }),
      encode: (frame, writer) => writer.append(frame, 0, 2),
      own: (frame) => Buffer.from(frame),
    });
    const wire = Buffer.from("abcd");
    const decoder = views.createDecoder();
    const kept: Buffer[] = [];
    decoder.decode(wire, 0, 4, (frame) => kept.push(decoder.own(frame)));
    wire.fill("x");
    assert.deepEqual(kept.map(String), ["ab", "cd"]);
  });
});
