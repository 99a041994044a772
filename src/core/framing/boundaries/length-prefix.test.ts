import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decoded, encoded } from "../../../testing/codec/check.ts";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { UsageError } from "../../errors.ts";
import { lengthPrefix, type LengthPrefixOptions } from "./length-prefix.ts";

const ascii = (text: string): Buffer => Buffer.from(text, "latin1");
const hello = ascii("HELLO, WORLD");
const messages = [Buffer.alloc(0), Buffer.alloc(1), hello, Buffer.alloc(300, 7), Buffer.from([0, 0, 0, 1, 255])];
const sized = (bytes: number): Buffer => Buffer.alloc(bytes, 3);

codecSuite("lengthPrefix()", () => lengthPrefix(), {
  messages,
  sized,
  vectors: [
    { message: ascii("hello world"), wire: ascii("\0\0\0\x0bhello world") },
    { message: Buffer.alloc(0), wire: ascii("\0\0\0\0") },
  ],
  refuses: [
    { wire: ascii("\0\x80\0\x01"), code: "FRAME_TOO_LONG" },
    { wire: ascii("\xff\xff\xff\xff"), code: "FRAME_TOO_LONG" },
  ],
  limited: { codec: lengthPrefix({ maxFrameBytes: 100 }), longest: sized(100), tooLong: sized(101) },
});

for (const bytes of [2, 3, 8] as const) {
  for (const endian of ["big", "little"] as const) {
    codecSuite(`lengthPrefix({ bytes: ${bytes}, endian: "${endian}" })`, () => lengthPrefix({ bytes, endian }), {
      messages,
      sized: (size) => sized(Math.min(size, 65_535)),
      limited: { codec: lengthPrefix({ bytes, endian, maxFrameBytes: 300 }), longest: sized(300), tooLong: sized(301) },
    });
  }
}

codecSuite("lengthPrefix({ bytes: 1 })", () => lengthPrefix({ bytes: 1 }), {
  messages: messages.filter(({ length }) => length < 256),
  sized: (size) => sized(Math.min(size, 255)),
  unsendable: [{ message: sized(256), code: "FRAME_TOO_LONG" }],
});

// A head of a type, a length that counts the whole message, and a flag; delivered and sent with its head.
codecSuite("lengthPrefix with whole messages", () => lengthPrefix({ bytes: 2, offset: 1, adjustment: -3, skip: 0 }), {
  messages: [ascii("\x07\0\x04!"), ascii("\x07\0\x10!HELLO, WORLD"), ascii("\x09\0\x03")],
  sized: (size) => {
    const message = Buffer.alloc(Math.min(size, 60_000), 1);
    message.writeUInt16BE(message.length, 1);
    return message;
  },
  unsendable: [{ message: ascii("\x07\0"), code: "FRAME_INVALID" }],
  refuses: [{ wire: ascii("\x07\0\x02"), code: "FRAME_INVALID" }],
});

/** The last one where the message leaves out bytes that are needed to send it. */
type Example = readonly [options: LengthPrefixOptions, wire: string, message: string, what?: "a part"];

/** https://netty.io/4.2/api/io/netty/handler/codec/LengthFieldBasedFrameDecoder.html, in the order of the page. */
const netty: readonly Example[] = [
  [{ bytes: 2, skip: 0 }, "\0\x0cHELLO, WORLD", "\0\x0cHELLO, WORLD"],
  [{ bytes: 2, skip: 2 }, "\0\x0cHELLO, WORLD", "HELLO, WORLD"],
  [{ bytes: 2, adjustment: -2, skip: 0 }, "\0\x0eHELLO, WORLD", "\0\x0eHELLO, WORLD"],
  [{ offset: 2, bytes: 3, skip: 0 }, "\xca\xfe\0\0\x0cHELLO, WORLD", "\xca\xfe\0\0\x0cHELLO, WORLD"],
  [{ bytes: 3, adjustment: 2, skip: 0 }, "\0\0\x0c\xca\xfeHELLO, WORLD", "\0\0\x0c\xca\xfeHELLO, WORLD"],
  [{ offset: 1, bytes: 2, adjustment: 1, skip: 3 }, "\xca\0\x0c\xfeHELLO, WORLD", "\xfeHELLO, WORLD", "a part"],
  [{ offset: 1, bytes: 2, adjustment: -3, skip: 3 }, "\xca\0\x10\xfeHELLO, WORLD", "\xfeHELLO, WORLD", "a part"],
];

/** https://docs.rs/tokio-util/latest/tokio_util/codec/length_delimited/index.html, examples 1 to 7. */
const tokio: readonly Example[] = [
  [{ bytes: 2, skip: 0 }, "\0\x0bHello world", "\0\x0bHello world"],
  [{ bytes: 2 }, "\0\x0bHello world", "Hello world"],
  [{ bytes: 2, adjustment: -2, skip: 0 }, "\0\x0dHello world", "\0\x0dHello world"],
  [{ bytes: 3, adjustment: 2, skip: 0 }, "\0\0\x0b\xca\xfeHello world", "\0\0\x0b\xca\xfeHello world"],
  [{ offset: 1, bytes: 2, adjustment: 1, skip: 3 }, "\xca\0\x0b\xfeHello world", "\xfeHello world", "a part"],
  [{ offset: 1, bytes: 2, adjustment: -3, skip: 3 }, "\xca\0\x0f\xfeHello world", "\xfeHello world", "a part"],
  // The page's length does not count the fourth byte that its `num_skip` drops; with it, the frame is whole.
  [{ bytes: 3, skip: 4 }, "\0\0\x0c\xffHello world", "Hello world", "a part"],
];

describe("lengthPrefix: the examples of other libraries", () => {
  for (const [source, examples] of Object.entries({ netty, tokio })) {
    for (const [index, [options, wireText, messageText, what]] of examples.entries()) {
      it(`${source} ${index + 1}: ${JSON.stringify(options)}`, () => {
        const codec = lengthPrefix(options);
        const [wire, message] = [ascii(wireText), ascii(messageText)];
        const twice = decoded(codec.createDecoder(), [wire, wire]);
        assert.equal(twice.error, undefined);
        assert.deepEqual(
          twice.messages.map((one) => Buffer.from(one)),
          [message, message],
        );
        if (what === undefined) assert.deepEqual(encoded(codec, [message]), wire);
        else
          assert.throws(() => encoded(codec, [message]), { code: "FRAME_INVALID", side: "local", name: "UsageError" });
      });
    }
  }
});

describe("lengthPrefix", () => {
  it("writes the length into a whole message, whatever stood there", () => {
    const codec = lengthPrefix({ bytes: 2, offset: 1, skip: 0 });
    assert.equal(encoded(codec, [ascii("\x07\xff\xffhi")]).toString("latin1"), "\x07\0\x02hi");
  });

  it("does not copy a large message", () => {
    const codec = lengthPrefix();
    for (const skip of [0, 4]) {
      const message = Buffer.alloc(100_000, 5);
      assert.equal(encoded(lengthPrefix({ skip }), [message]).length, skip === 0 ? 100_000 : 100_004);
    }
    assert.equal(decoded(codec.createDecoder(), [encoded(codec, [sized(100_000)])]).messages[0]?.length, 100_000);
  });

  it("says that a length of eight bytes is too long, however long", () => {
    for (const hex of ["ffffffffffffffff", "8000000000000000", "0000000100000000", "0000000000800001"]) {
      const { error } = decoded(lengthPrefix({ bytes: 8 }).createDecoder(), [Buffer.from(hex, "hex")]);
      assert.equal(error?.code, "FRAME_TOO_LONG", hex);
    }
  });

  it("counts exactly with the largest adjustment, and takes no larger one", () => {
    const codec = lengthPrefix({ bytes: 8, adjustment: -(2 ** 32 - 1) });
    assert.deepEqual(decoded(codec.createDecoder(), [encoded(codec, [Buffer.from("a"), Buffer.from("bc")])]).messages, [
      Buffer.from("a"),
      Buffer.from("bc"),
    ]);
    for (const adjustment of [2 ** 32, -(2 ** 32), 1 - 2 ** 53, Number.NaN, Number.NEGATIVE_INFINITY]) {
      assert.throws(() => lengthPrefix({ bytes: 8, adjustment }), { code: "OPTION_INVALID", op: "lengthPrefix" });
    }
  });

  it("refuses an adjustment that leaves less than nothing", () => {
    const codec = lengthPrefix({ bytes: 1, adjustment: -1 });
    assert.equal(decoded(codec.createDecoder(), [Buffer.from([0])]).error?.code, "FRAME_INVALID");
    assert.deepEqual(decoded(codec.createDecoder(), [Buffer.from([1])]).messages, [Buffer.alloc(0)]);
    // The other way round: the field counts less than there must be.
    const more = lengthPrefix({ bytes: 1, adjustment: 4 });
    assert.throws(() => encoded(more, [Buffer.alloc(3)]), { code: "FRAME_INVALID", side: "local" });
    assert.deepEqual(encoded(more, [Buffer.alloc(4)]), Buffer.from([0, 0, 0, 0, 0]));
  });

  it("checks its options", () => {
    const wrong = [
      { bytes: 5 },
      { endian: "middle" },
      { offset: -1 },
      { offset: 1.5 },
      { skip: 70_000 },
      { adjustment: Number.NaN },
      { maxFrameBytes: 0 },
      { maxFrameBytes: 2 ** 30 },
    ] as unknown as readonly LengthPrefixOptions[];
    for (const options of wrong) {
      assert.throws(
        () => lengthPrefix(options),
        (error: unknown) => {
          assert.ok(error instanceof UsageError);
          assert.deepEqual([error.code, error.op, error.side], ["OPTION_INVALID", "lengthPrefix", "local"]);
          return true;
        },
      );
    }
  });

  it("any options, any message, any cuts: what is sent arrives", () => {
    const anyOptions = fc.record({
      bytes: fc.constantFrom<2 | 3 | 4 | 8>(2, 3, 4, 8),
      endian: fc.constantFrom<"big" | "little">("big", "little"),
      adjustment: fc.integer({ min: -20, max: 0 }),
    });
    fc.assert(
      fc.property(
        anyOptions,
        fc.array(fc.uint8Array({ maxLength: 300 })),
        fc.integer({ min: 1, max: 50 }),
        (options, all, cut) => {
          const codec = lengthPrefix(options);
          const wire = encoded(codec, all);
          const pieces = Array.from({ length: Math.ceil(wire.length / cut) }, (_, i) =>
            wire.subarray(i * cut, (i + 1) * cut),
          );
          assert.deepEqual(decoded(codec.createDecoder(), pieces), {
            messages: all.map((one) => Buffer.from(one)),
            error: undefined,
          });
        },
      ),
    );
  });
});

describe("configurations of other programs, translated as the documentation says", () => {
  const sizes = fc.record({
    bytes: fc.constantFrom(1 as const, 2 as const, 4 as const),
    offset: fc.nat(4),
    adjustment: fc.integer({ min: -4, max: 4 }),
    skip: fc.nat(12),
    field: fc.nat(20),
  });
  const wireOf = (bytes: number, offset: number, field: number): Buffer => {
    const wire = Buffer.from(Array.from({ length: 60 }, (_, index) => index + 100));
    wire.writeUIntBE(field, offset, bytes);
    return wire;
  };
  const first = (codec: ReturnType<typeof lengthPrefix>, wire: Buffer): Buffer | undefined => {
    const decoder = codec.createDecoder();
    let message: Buffer | undefined;
    decoder.decode(wire, 0, wire.length, (one) => {
      message = Buffer.from(one);
      decoder.stop();
    });
    return message;
  };

  it("Netty: the adjusted number counts what follows the field, and the limit the whole frame", () => {
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 14, max: 40 }),
        ({ bytes, offset, adjustment, skip, field }, maxFrameLength) => {
          const frameBytes = field + adjustment + offset + bytes;
          fc.pre(frameBytes >= offset + bytes && skip <= frameBytes);
          const maxFrameBytes = maxFrameLength - offset - bytes;
          const wire = wireOf(bytes, offset, field);
          const codec = lengthPrefix({ bytes, offset, adjustment, skip, maxFrameBytes });
          if (frameBytes > maxFrameLength) assert.throws(() => first(codec, wire), { code: "FRAME_TOO_LONG" });
          else assert.deepEqual(first(codec, wire), wire.subarray(skip, frameBytes));
        },
      ),
    );
  });

  it("Tokio: the adjusted number counts what follows the skipped bytes, and the limit the number in the field", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 10, max: 20 }), (theirs, maxFrameLength) => {
        const { bytes, offset, skip, field } = theirs;
        const payloadBytes = field + theirs.adjustment;
        const adjustment = theirs.adjustment + skip - offset - bytes;
        const maxFrameBytes = maxFrameLength + adjustment;
        // What is behind the field must not be less than nothing here, nor the limit.
        fc.pre(payloadBytes >= 0 && field + adjustment >= 0 && maxFrameBytes >= 1);
        const wire = wireOf(bytes, offset, field);
        const codec = lengthPrefix({ bytes, offset, adjustment, skip, maxFrameBytes });
        if (field > maxFrameLength) assert.throws(() => first(codec, wire), { code: "FRAME_TOO_LONG" });
        else assert.deepEqual(first(codec, wire), wire.subarray(skip, skip + payloadBytes));
      }),
    );
  });
});
