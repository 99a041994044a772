import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ByteWriter } from "../../core/bytes/byte-writer.ts";
import { UsageError } from "../../core/errors.ts";
import { lines } from "../../core/framing/boundaries/lines.ts";
import type { Codec, Decoder, OnFrame } from "../../core/framing/codec.ts";
import { defineCodec } from "../../core/framing/define-codec.ts";
import { FrameCodec } from "../../core/framing/frame-codec.ts";
import type { CodecSuiteOptions } from "./check.ts";
import { countedBytes } from "./linear.ts";
import { codecChecks } from "./suite.ts";

/** A codec that is right: words that end with a semicolon. */
const right = {
  name: "words",
  maxFrameBytes: 70_000,
  frameLength(bytes: Buffer, start: number, end: number, seen: number): number | undefined {
    for (let at = seen; at < end; at += 1) if (bytes[at] === 0x3b) return at + 1 - start;
    return undefined;
  },
  decode: (frame: Buffer): string => frame.toString("latin1", 0, frame.length - 1),
  encode: (word: string): string => {
    if (word.includes(";")) throw new Error("a semicolon in a word");
    return `${word};`;
  },
};

const options: CodecSuiteOptions<string> = {
  messages: ["", "uno", "d".repeat(300)],
  sized: (bytes) => "x".repeat(bytes),
  vectors: [{ message: "uno", wire: Buffer.from("uno;") }],
  unsendable: [{ message: "u;o", code: "FRAME_INVALID" }],
  limited: { codec: defineCodec({ ...right, maxFrameBytes: 21 }), longest: "x".repeat(20), tooLong: "x".repeat(21) },
};

/** A decoder around a right one; a test breaks one of its methods. */
class Around implements Decoder<string> {
  readonly inner: Decoder<string> = defineCodec(right).createDecoder();

  get maxFrameBytes(): number {
    return this.inner.maxFrameBytes;
  }

  set maxFrameBytes(bytes: number) {
    this.inner.maxFrameBytes = bytes;
  }

  get heldBytes(): number {
    return this.inner.heldBytes;
  }

  decode(bytes: Uint8Array, start: number, end: number, onMessage: (message: string) => void): number {
    return this.inner.decode(bytes, start, end, onMessage);
  }

  scan(bytes: Uint8Array, start: number, end: number, onFrame: OnFrame): number {
    return this.inner.scan(bytes, start, end, onFrame);
  }

  stop(): void {
    this.inner.stop();
  }

  own(message: string): string {
    return this.inner.own(message);
  }

  takeRest(): Buffer {
    return this.inner.takeRest();
  }

  end(): void {
    this.inner.end();
  }
}

function around(make: () => Decoder<string>): Codec<string> {
  const inner = defineCodec(right);
  return {
    name: inner.name,
    maxFrameBytes: inner.maxFrameBytes,
    createDecoder: make,
    encode: (message: string, writer: ByteWriter) => inner.encode(message, writer),
  };
}

/** The titles of the checks that fail, among those whose title matches. */
function failures(
  create: () => Codec<string>,
  titles: RegExp = /./,
  changed: Partial<CodecSuiteOptions<string>> = {},
): readonly string[] {
  const checks = codecChecks.flatMap((one) => Object.entries(one)).filter(([title]) => titles.test(title));
  assert.notEqual(checks.length, 0, "no check has such a title");
  return checks.flatMap(([title, check]) => {
    try {
      check(create, { ...options, ...changed });
      return [];
    } catch {
      return [title];
    }
  });
}

function assertCaught(create: () => Codec<string>, by: RegExp, changed?: Partial<CodecSuiteOptions<string>>): void {
  assert.notEqual(failures(create, by, changed).length, 0, "not caught");
}

describe("codecSuite", () => {
  it("passes codecs that are right", () => {
    assert.deepEqual(
      failures(() => defineCodec(right)),
      [],
    );
    assert.deepEqual(
      failures(() => around(() => new Around())),
      [],
    );
  });

  it("catches a search that begins anew with every piece", () => {
    const frameLength = (bytes: Buffer, start: number, end: number): number | undefined =>
      right.frameLength(bytes, start, end, start);
    assertCaught(() => defineCodec({ ...right, frameLength }), /twice the size/);
    const native = (bytes: Buffer, start: number, end: number): number | undefined => {
      const found = bytes.subarray(start, end).indexOf(";");
      return found === -1 ? undefined : found + 1;
    };
    assertCaught(() => defineCodec({ ...right, frameLength: native }), /twice the size/);
  });

  it("catches a search that skips what it has not seen", () => {
    const frameLength = (bytes: Buffer, start: number, end: number, seen: number): number | undefined =>
      right.frameLength(bytes, start, end, seen + (seen > start ? 1 : 0));
    assertCaught(() => defineCodec({ ...right, frameLength }), /byte by byte/);
  });

  it("catches a search that looks beyond its end", () => {
    const frameLength = (bytes: Buffer, start: number): number | undefined => bytes.indexOf(";", start) + 1 - start;
    assertCaught(() => defineCodec({ ...right, frameLength }), /looks only at the bytes/);
  });

  it("catches a codec that loses what it sends", () => {
    assertCaught(() => defineCodec({ ...right, encode: (word) => word }), /whole/);
    assertCaught(() => defineCodec({ ...right, encode: (word) => `${word};` }), /must not be sent/);
    assertCaught(() => defineCodec({ ...right, encode: (word) => `${right.encode(word)};` }), /whole/);
  });

  it("catches a wire form that is not that of the specification", () => {
    assertCaught(() => lines({ maxLineBytes: 70_000 }), /what the specification says/);
  });

  it("catches a codec that writes half a message before it refuses it", () => {
    const create = (): Codec<string> => ({
      ...around(() => new Around()),
      encode(message, writer) {
        writer.byte(0x78);
        throw new UsageError("FRAME_INVALID", { op: "encode", side: "local", outcome: "none", detail: message });
      },
    });
    assertCaught(create, /must not be sent/);
  });

  it("catches a decoder that goes on after an error, loses its rest, or says nothing at the end", () => {
    class Forgetful extends Around {
      override end(): void {
        this.inner.takeRest();
      }
    }
    class Greedy extends Around {
      override takeRest(): Buffer {
        this.inner.takeRest();
        return Buffer.alloc(0);
      }
    }
    class Unstoppable extends Around {
      override stop(): void {
        // Goes on.
      }
    }
    assertCaught(() => around(() => new Forgetful()), /says so when the stream ends there/);
    assertCaught(() => around(() => new Greedy()), /can be taken back/);
    assertCaught(() => around(() => new Unstoppable()), /stop leaves the rest/);
  });

  it("catches a decoder that throws what is no error of the peer", () => {
    class Crashing extends Around {
      override decode(bytes: Uint8Array, start: number, end: number, onMessage: (message: string) => void): number {
        if (bytes.includes(0xff)) throw new TypeError("unexpected");
        return this.inner.decode(bytes, start, end, onMessage);
      }
    }
    assertCaught(() => around(() => new Crashing()), /garbage/);
  });

  it("catches messages that change when their bytes are reused", () => {
    const views = new FrameCodec<string, Buffer>(defineCodec(right).boundary, {
      name: "views",
      decode: (bytes, start, end) => bytes.subarray(start, end - 1),
      encode: right.encode,
    });
    const expected = { ...options, arrives: (word: string) => Buffer.from(word) } as unknown as Partial<
      CodecSuiteOptions<string>
    >;
    assertCaught(() => views as unknown as Codec<string>, /own makes a message last/, expected);
  });

  it("catches a limit that is not kept", () => {
    const limited = { codec: defineCodec(right), longest: "x".repeat(20), tooLong: "x".repeat(21) };
    assertCaught(() => defineCodec(right), /the longest message/, { limited });
  });
});

describe("countedBytes", () => {
  it("counts looks by index, and those of methods", () => {
    const count = { looks: 0 };
    const bytes = countedBytes(Buffer.from([1, 2, 3, 4]), count);
    const looks = (look: () => unknown): number => {
      count.looks = 0;
      look();
      return count.looks;
    };
    assert.equal(
      looks(() => bytes[2]),
      1,
    );
    assert.equal(
      looks(() => bytes.length + bytes.byteOffset),
      0,
    );
    assert.ok(looks(() => bytes.readUInt16BE(1)) >= 2);
    assert.ok(looks(() => bytes.readUIntLE(0, 3)) >= 3);
    for (const look of [
      () => bytes.indexOf(3),
      () => bytes.includes(3),
      () => bytes.toString(),
      () => bytes.subarray(1),
    ]) {
      assert.ok(looks(look) >= 1, String(look));
    }
    assert.equal(bytes.readUInt16BE(1), 0x0203);
    assert.equal(bytes.indexOf(3), 2);
    assert.ok(Buffer.isBuffer(bytes));
  });
});
