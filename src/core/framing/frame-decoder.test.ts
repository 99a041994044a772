import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProtocolError } from "../errors.ts";
import { encoded } from "../../testing/codec/check.ts";
import { bytes } from "./formats/bytes.ts";
import { cobs } from "./boundaries/cobs.ts";
import type { MessageFormat, SkippedFrame } from "./codec.ts";
import { FrameDecoder } from "./frame-decoder.ts";
import { json } from "./formats/json.ts";
import { lengthPrefix } from "./boundaries/length-prefix.ts";
import { lines } from "./boundaries/lines.ts";
import { msgpack } from "./formats/msgpack.ts";
import { text } from "./formats/text.ts";

/** The bytes that are copied by `set` while `body` runs. */
function bytesCopied(body: () => void): number {
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as {
    set: (from: ArrayLike<number>, at?: number) => void;
  };
  const { set } = typedArray;
  let copied = 0;
  typedArray.set = function counting(this: Uint8Array, from: ArrayLike<number>, at?: number): void {
    copied += from.length;
    set.call(this, from, at);
  };
  try {
    body();
  } finally {
    typedArray.set = set;
  }
  return copied;
}

function feed(decoder: FrameDecoder<Buffer>, wire: Buffer, pieceBytes: number): number {
  let count = 0;
  for (let at = 0; at < wire.length; at += pieceBytes) {
    decoder.decode(wire, at, Math.min(wire.length, at + pieceBytes), () => {
      count += 1;
    });
  }
  return count;
}

const decoderOf = (codec = lengthPrefix()): FrameDecoder<Buffer> => new FrameDecoder(codec.boundary, bytes());

describe("FrameDecoder", () => {
  it("copies at most about three times the bytes of a message, in pieces of any size, for either kind of boundary", () => {
    const size = 1_000_000;
    const prefixed = encoded(lengthPrefix(), [Buffer.alloc(size, 1)]);
    const line = encoded(lines({ maxLineBytes: size }), ["x".repeat(size)]);
    for (const pieceBytes of [16, 1000, 65_536]) {
      const copiedOfPrefixed = bytesCopied(() => assert.equal(feed(decoderOf(), prefixed, pieceBytes), 1));
      assert.ok(copiedOfPrefixed <= 3.2 * size, `${pieceBytes}: ${copiedOfPrefixed} bytes copied`);
      const framer = new FrameDecoder(lines({ maxLineBytes: size }).boundary, bytes());
      const copiedOfLine = bytesCopied(() => assert.equal(feed(framer, line, pieceBytes), 1));
      assert.ok(copiedOfLine <= 3.2 * size, `${pieceBytes}: ${copiedOfLine} bytes copied`);
    }
  });

  it("copies nothing of messages that are complete in their piece, and little of those that are cut", () => {
    const wire = encoded(
      lengthPrefix(),
      Array.from({ length: 10_000 }, () => Buffer.alloc(64, 1)),
    );
    assert.equal(
      bytesCopied(() => assert.equal(feed(decoderOf(), wire, wire.length), 10_000)),
      0,
    );
    const copied = bytesCopied(() => assert.equal(feed(decoderOf(), wire, 65_536), 10_000));
    assert.ok(copied < wire.length / 50, `${copied} of ${wire.length} bytes copied`);
  });

  // The rules are those of docs/semantics.md.
  it("rule C5: allocates nothing for a length that is announced", () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 2000 }, () => {
      const decoder = decoderOf();
      decoder.decode(Buffer.from([0, 0x7f, 0xff, 0xff, 1]), 0, 5, () => assert.fail("nothing is complete"));
      return decoder;
    });
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 2000 * 1024, `${grown} bytes for 10,000 received ones`);
    assert.equal(decoders[0]?.heldBytes, 5);
  });

  it("gives a large message away without copying it", () => {
    const wire = encoded(lengthPrefix(), [Buffer.alloc(100_000, 7), Buffer.alloc(10, 8)]);
    const decoder = decoderOf();
    const kept: Uint8Array[] = [];
    const same: boolean[] = [];
    for (let at = 0; at < wire.length; at += 30_000) {
      decoder.decode(wire, at, Math.min(wire.length, at + 30_000), (message) => {
        const own = decoder.own(message);
        same.push(own.buffer === message.buffer);
        kept.push(own);
      });
    }
    assert.deepEqual(same, [true, false]);
    // What comes next does not write over it.
    decoder.decode(wire, 0, 50_000, () => undefined);
    assert.deepEqual(kept[0], Buffer.alloc(100_000, 7));
  });

  it("stays in the error of a callback that throws", () => {
    const wire = encoded(lengthPrefix(), [Buffer.from("a"), Buffer.from("b")]);
    const fault = new Error("handler");
    const decoder = decoderOf();
    const fail = (): never => {
      throw fault;
    };
    assert.throws(() => decoder.decode(wire, 0, wire.length, fail), fault);
    assert.throws(() => decoder.decode(wire, 0, wire.length, () => undefined), fault);
    assert.throws(() => decoder.decode(wire, 0, 0, () => undefined), fault);
    assert.throws(() => decoder.end(), fault);
    assert.equal(decoder.takeRest().length, 0);
  });

  it("takes no bytes for no change", () => {
    const decoder = decoderOf();
    assert.equal(
      decoder.decode(Buffer.alloc(0), 0, 0, () => undefined),
      0,
    );
    decoder.decode(Buffer.from([0, 0]), 0, 2, () => undefined);
    assert.equal(
      decoder.decode(Buffer.alloc(9), 4, 4, () => undefined),
      0,
    );
    assert.equal(decoder.heldBytes, 2);
  });

  it("a stop outside a callback stops nothing", () => {
    const wire = encoded(lengthPrefix(), [Buffer.from("a"), Buffer.from("b")]);
    const decoder = decoderOf();
    decoder.stop();
    assert.equal(feed(decoder, wire, wire.length), 2);
  });

  it("says which messages stand in the bytes that it was given", () => {
    const wire = encoded(lengthPrefix(), [Buffer.from("a"), Buffer.from("b"), Buffer.from("c")]);
    const decoder = decoderOf();
    const places: boolean[] = [];
    const note = (): void => void places.push(decoder.inPlace);
    decoder.decode(wire, 0, 7, note);
    decoder.decode(wire, 7, wire.length, note);
    // The second one was cut.
    assert.deepEqual(places, [true, false, true]);

    const stuffed = cobs().createDecoder();
    const unstuffed: (boolean | undefined)[] = [];
    stuffed.decode(Buffer.from([2, 7, 0]), 0, 3, () => void unstuffed.push(stuffed.inPlace));
    assert.deepEqual(unstuffed, [false]);
  });

  it("can go on after its rest was taken", () => {
    const wire = encoded(lengthPrefix(), [Buffer.alloc(6000, 1)]);
    const decoder = decoderOf();
    decoder.decode(wire, 0, 5500, () => undefined);
    assert.deepEqual(decoder.takeRest(), wire.subarray(0, 5500));
    assert.equal(feed(decoder, wire, 100), 1);
  });
});

describe("FrameDecoder and what is skipped", () => {
  it("asks a format what is wrong, so that no error is made", () => {
    const skipped: SkippedFrame[] = [];
    const resynchronise = (one: SkippedFrame): void => void skipped.push(one);
    for (const format of [json(), msgpack(), text()]) {
      const { boundary } = lines({ resynchronise });
      const quiet = {
        ...format,
        name: format.name,
        tryDecode: format.tryDecode?.bind(format),
        decode: () => assert.fail("it throws"),
      };
      const decoder = new FrameDecoder(boundary, quiet as MessageFormat<never, unknown>);
      const wire = Buffer.from([0xc1, 0xff, 0x0a]);
      assert.equal(
        decoder.decode(wire, 0, wire.length, () => assert.fail("it is a message")),
        wire.length,
      );
    }
    assert.deepEqual(
      skipped.map(({ code, bytes: count, detail }) => [code, count, detail.split(":")[0]]),
      ["json", "msgpack", "text"].map((name) => ["FRAME_INVALID", 2, name]),
    );
  });

  it("takes the errors of a format that has nothing else", () => {
    const skipped: SkippedFrame[] = [];
    const { boundary } = lines({ resynchronise: (one) => skipped.push(one) });
    const odd: MessageFormat<never, number> = {
      name: "odd",
      decode(from, start) {
        if (from[start] === 0x32) throw new ProtocolError("FRAME_INVALID", { op: "decode", detail: "it is even" });
        if (from[start] === 0x34) throw new RangeError("a mistake of the program");
        return from[start] ?? 0;
      },
      encode: () => "",
    };
    const decoder = new FrameDecoder(boundary, odd);
    const numbers: number[] = [];
    assert.throws(() => decoder.decode(Buffer.from("1\n2\n3\n4\n5\n"), 0, 10, (one) => numbers.push(one)), RangeError);
    assert.deepEqual(numbers, [0x31, 0x33]);
    assert.deepEqual(skipped, [{ code: "FRAME_INVALID", bytes: 1, detail: "odd: it is even" }]);
  });

  it("returns when its steps are used up, whether messages are delivered, skipped or empty", () => {
    const decoder = cobs({ resynchronise: () => undefined }).createDecoder();
    const wire = Buffer.from([2, 1, 0, 9, 1, 0, 0, 2, 2, 0]);
    const got: number[] = [];
    const keep = (message: Buffer): void => void got.push(message[0] ?? 0);
    const used: number[] = [];
    for (let at = 0; at < wire.length; at += used.at(-1) ?? 0) {
      decoder.stepsLeft = 1;
      used.push(decoder.decode(wire, at, wire.length, keep));
      assert.equal(decoder.stepsLeft, 0);
    }
    assert.deepEqual(
      [used, got],
      [
        [3, 3, 1, 3],
        [1, 2],
      ],
    );
  });
});
