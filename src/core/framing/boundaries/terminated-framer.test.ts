import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FrameSpan, OnSkipped, SkippedFrame } from "../codec.ts";
import { InvalidContent } from "../frame-error.ts";
import { TerminatedFramer } from "./terminated-framer.ts";

/** Words that end with a semicolon; one that begins with a question mark is not valid. */
class WordFramer extends TerminatedFramer {
  constructor(onSkipped: OnSkipped | undefined) {
    super("words", 0x3b, onSkipped);
  }

  protected override wireLimit(limit: number): number {
    return limit;
  }

  protected override accept(bytes: Buffer, start: number, end: number, span: FrameSpan): InvalidContent | undefined {
    if (bytes[start] === 0x3f) return new InvalidContent("a question");
    span.from = start;
    span.to = end;
    return undefined;
  }
}

const newSpan = (limit: number): { seen: number; limit: number; from: number; to: number; source: undefined } => ({
  seen: 0,
  limit,
  from: 0,
  to: 0,
  source: undefined,
});

describe("TerminatedFramer", () => {
  it("answers where the next message begins, or how many bytes it needs", () => {
    const framer = new WordFramer(undefined);
    const span = newSpan(10);
    const bytes = Buffer.from("uno;dos;t");
    assert.equal(framer.find(bytes, 0, bytes.length, span), 4);
    assert.deepEqual([span.from, span.to], [0, 3]);
    span.seen = 4;
    assert.equal(framer.find(bytes, 4, bytes.length, span), 8);
    span.seen = 8;
    assert.equal(framer.find(bytes, 8, bytes.length, span), -2);
    assert.equal(framer.droppedBytes, 0);
  });

  it("fails as soon as a message is too long or not valid", () => {
    assert.throws(() => new WordFramer(undefined).find(Buffer.from("1234"), 0, 4, newSpan(3)), {
      code: "FRAME_TOO_LONG",
    });
    assert.throws(() => new WordFramer(undefined).find(Buffer.from("?;"), 0, 2, newSpan(3)), { code: "FRAME_INVALID" });
  });

  it("drops what it skips, and reports it once, with the limit that held when it began", () => {
    const skipped: SkippedFrame[] = [];
    const framer = new WordFramer((one) => skipped.push(one));
    const span = newSpan(3);
    assert.equal(framer.find(Buffer.from("1234"), 0, 4, span), 4);
    assert.deepEqual([span.from, framer.droppedBytes, skipped.length], [-1, 4, 0]);
    span.limit = 1000;
    assert.equal(framer.find(Buffer.from("56"), 0, 2, span), 2);
    assert.deepEqual([span.from, framer.droppedBytes, skipped.length], [-1, 6, 0]);
    assert.equal(framer.find(Buffer.from("7;uno;"), 0, 6, span), 2);
    assert.deepEqual([span.from, framer.droppedBytes], [-1, 0]);
    assert.deepEqual(
      skipped.map(({ code, bytes }) => [code, bytes]),
      [["FRAME_TOO_LONG", 8]],
    );
    assert.match(skipped[0]?.detail ?? "", /longer than 3 bytes/);
    span.seen = 2;
    assert.equal(framer.find(Buffer.from("7;uno;"), 2, 6, span), 6);
    assert.deepEqual([span.from, span.to], [2, 5]);
  });
});
